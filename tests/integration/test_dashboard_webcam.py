"""A browser's webcam: a camera of its owner's while its page sends pictures, and then nothing."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from bus.keys import CameraKeys
from bus.stores.cameras import CameraRegistry
from bus.stores.webcams import WebcamStore
from contract.cameras.camera import make_camera
from contract.errors import CameraConfigError
from tests.accounts import key_client, make_app
from tests.builders import add_camera, jpeg, totals_of
from tests.servers.ingest_process import eventually, ingest_process
from tests.worker_thread import worker_thread

API = "/api/v1/webcams"


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis, webcams=2)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis, "operator")


def start(client: FlaskClient) -> str:
    answer = client.post(API)
    assert answer.status_code == 201
    return str(answer.json["id"])


def send(client: FlaskClient, camera_id: str, data: bytes | None = None) -> TestResponse:
    body = jpeg(320, 240) if data is None else data
    return client.post(f"{API}/{camera_id}/frames", data=body, content_type="image/jpeg")


def test_pictures_come_back_annotated_through_a_real_worker(
    client: FlaskClient, redis: Redis
) -> None:
    camera_id = start(client)
    with worker_thread(redis):
        assert eventually(lambda: send(client, camera_id).status_code == 200)
        answer = send(client, camera_id)
    assert answer.status_code == 200
    assert int(answer.headers["X-Maskwatch-Sequence"]) >= 2
    assert json.loads(answer.headers["X-Maskwatch-Faces"])["mask"] == 1
    drawn = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (240, 320, 3)
    assert np.abs(drawn.astype(int) - 128).max() > 50, "boxes are drawn"
    status = client.get(f"/api/v1/cameras/{camera_id}").json["status"]
    assert (status["state"], status["width"], status["height"]) == ("live", 320, 240)
    assert totals_of(redis, camera_id)["frames:analysed"] >= 2


def test_a_frame_that_no_worker_takes_is_a_204(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.try_it.webcams.WAIT_S", 0.05)
    assert send(client, start(client)).status_code == 204


def test_only_its_owner_sees_it_and_it_is_in_no_list_wall_total_or_metric(
    app: Flask, client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.try_it.webcams.WAIT_S", 0.05)
    add_camera(redis, "Gate")
    camera_id = start(client)
    send(client, camera_id)
    administrator = key_client(app, redis)
    paths = (
        f"/api/v1/cameras/{camera_id}",
        f"/cameras/{camera_id}",
        f"/cameras/{camera_id}/snapshot.jpg",
    )
    for path in paths:
        assert administrator.get(path).json["error"] == "camera_not_found", path
    assert send(administrator, camera_id).status_code == 404
    assert administrator.delete(f"{API}/{camera_id}").status_code == 404
    assert client.get(paths[0]).status_code == 200
    for one in (client, administrator):
        assert [c["name"] for c in one.get("/api/v1/cameras").json["cameras"]] == ["Gate"]
        assert "Webcam of" not in one.get("/wall").text
    assert "Webcam of" not in administrator.get("/metrics").text
    with app.app_context():
        assert "Webcam of" not in app.extensions["maskwatch"].board.json()


def test_when_it_ends_everything_stored_for_it_goes(client: FlaskClient, redis: Redis) -> None:
    camera_id = start(client)
    with worker_thread(redis):
        assert eventually(lambda: send(client, camera_id).status_code == 200)
        assert list(redis.scan_iter(f"*{camera_id}*"))
        assert client.delete(f"{API}/{camera_id}").status_code == 204
        assert CameraRegistry(redis).all() == []
        assert send(client, camera_id).status_code == 404
    assert eventually(lambda: not list(redis.scan_iter(f"*{camera_id}*")))


def test_starting_again_ends_the_one_before(client: FlaskClient, redis: Redis) -> None:
    first, second = start(client), start(client)
    assert [camera.id for camera in CameraRegistry(redis).all()] == [second]
    assert send(client, first).status_code == 404


def test_one_too_many_is_refused_unless_another_has_gone_silent(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    others = [start(key_client(app, redis, "operator")) for _ in range(2)]
    refused = client.post(API)
    assert (refused.status_code, refused.json["error"]) == (429, "busy")
    assert "MASKWATCH_WEBCAMS" in refused.json["detail"]
    redis.delete(CameraKeys(others[0]).ingest_lease)  # as when its time has run out
    camera_id = start(client)
    left = {camera.id for camera in CameraRegistry(redis).all()}
    assert left == {others[1], camera_id}


def test_a_webcam_that_has_gone_silent_takes_no_more(client: FlaskClient, redis: Redis) -> None:
    camera_id = start(client)
    redis.delete(CameraKeys(camera_id).ingest_lease)
    answer = send(client, camera_id)
    assert (answer.status_code, answer.json["error"]) == (410, "webcam_ended")


def test_ingest_removes_a_silent_webcam_and_reads_no_other(redis: Redis, redis_url: str) -> None:
    store = WebcamStore(redis)
    silent, going = store.start("key:a", "A"), store.start("key:b", "B")
    redis.delete(CameraKeys(silent.id).ingest_lease)
    with ingest_process(redis_url):
        assert eventually(lambda: [c.id for c in CameraRegistry(redis).all()] == [going.id])
        lease = redis.get(CameraKeys(going.id).ingest_lease)
    assert lease is not None
    assert lease.startswith(b"browser-")


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"not a picture" * 9, 415, "not a JPEG"),
        (cv2.imencode(".png", np.zeros((48, 64, 3), np.uint8))[1].tobytes(), 415, "found PNG"),
        (jpeg(1928, 1088), 413, "1928 x 1088"),
        (jpeg() + bytes(3 << 20), 413, "2 MB"),
    ],
)
def test_what_is_no_picture_of_a_webcam_is_refused(
    client: FlaskClient, redis: Redis, data: bytes, status: int, words: str
) -> None:
    camera_id = start(client)
    answer = send(client, camera_id, data)
    assert answer.status_code == status
    assert words in answer.json["detail"]
    assert not redis.exists(CameraKeys(camera_id).frames)


def test_no_camera_can_be_registered_or_changed_into_somebodys_webcam(
    client: FlaskClient, redis: Redis
) -> None:
    with pytest.raises(CameraConfigError, match="reserved for"):
        make_camera(name="x", source=" browser:user:1")
    gate = add_camera(redis, "Gate")
    changed = client.patch(f"/api/v1/cameras/{gate.id}", json={"source": "browser:user:1"})
    assert changed.status_code == 422
    camera_id = start(client)
    changed = client.patch(f"/api/v1/cameras/{camera_id}", json={"source": "demo:"})
    assert changed.status_code == 422
    assert send(client, gate.id).json["detail"] == "that camera is no browser's webcam"


def test_the_page_may_use_the_webcam_and_no_other_page_may(client: FlaskClient) -> None:
    assert "camera=(self)" in client.get("/try/webcam").headers["Permissions-Policy"]
    assert "camera=()" in client.get("/try").headers["Permissions-Policy"]
