"""Uploaded images: what is in them, for who uploaded them, for a while, and never on a disk."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from bus.keys import UPLOADED_PICTURES
from bus.picture_seal import PictureSeal
from bus.server.embedded import EmbeddedRedis
from bus.stores.uploads import KEPT_S, MOST_IMAGES
from runtime.image_files import MOST_BYTES
from tests.accounts import csrf_token, key_client, make_app, make_user, sign_in
from tests.builders import everything_in, jpeg
from tests.images_process import BOX, images_process

API = "/api/v1/uploads"


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis, "operator")


@pytest.fixture
def process(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with images_process(redis, monkeypatch):
        yield


def upload(
    client: FlaskClient, *images: bytes, field: str = "image", **how: object
) -> TestResponse:
    files = [(io.BytesIO(data), f"photo {n}.jpg") for n, data in enumerate(images, 1)]
    return client.post(API, data={field: files}, content_type="multipart/form-data", **how)


@pytest.mark.usefixtures("process")
def test_images_come_back_with_faces_verdicts_and_annotated_pictures(client: FlaskClient) -> None:
    answer = upload(client, jpeg(640, 480), jpeg(320, 240))
    assert answer.status_code == 201
    first, second = answer.json["images"]
    assert [(i["name"], i["width"], i["height"]) for i in (first, second)] == [
        ("photo 1.jpg", 640, 480),
        ("photo 2.jpg", 320, 240),
    ]
    near, far = first["faces"]
    assert (near["box"], near["verdict"], near["confidence"]) == (list(BOX), "mask", 0.99)
    expected = {"mask": 0.99, "incorrect": 0.005, "no_mask": 0.005, "unknown": 0.0}
    assert near["probabilities"] == expected
    assert (far["verdict"], far["confidence"], far["probabilities"]) == ("unknown", 0.0, {})
    assert 0 < answer.json["expires_in_s"] <= KEPT_S
    assert client.get(answer.headers["Location"]).json["images"] == answer.json["images"]
    picture = client.get(f"{second['picture']}?download")
    assert picture.content_type == "image/jpeg"
    assert "photo 2-annotated.jpg" in picture.headers["Content-Disposition"]
    drawn = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == (240, 320, 3)
    assert np.abs(drawn.astype(int) - 128).max() > 50, "boxes are drawn"


@pytest.mark.usefixtures("process")
def test_a_signed_in_browser_may_upload_more_than_other_requests_bring(
    app: Flask, redis: Redis
) -> None:
    client = app.test_client()
    make_user(redis)
    sign_in(client)
    noise = np.random.default_rng(1).integers(0, 255, (600, 800, 3), np.uint8)
    data = cv2.imencode(".png", noise)[1].tobytes()
    headers = {"X-CSRFToken": csrf_token(client)}
    assert len(data) > 1_000_000
    assert upload(client, data, headers=headers).status_code == 201
    assert upload(client, data).json["error"] == "forged"
    too_large = client.post("/api/v1/cameras", data=data, headers=headers)
    assert too_large.status_code in {413, 415}


@pytest.mark.usefixtures("process")
def test_only_the_uploader_sees_an_upload_and_may_remove_it(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    answer = upload(client, jpeg())
    where, picture = answer.headers["Location"], answer.json["images"][0]["picture"]
    administrator = key_client(app, redis)
    for path in (where, picture):
        assert administrator.get(path).status_code == 404
    assert administrator.delete(where).status_code == 404
    assert client.get(picture).status_code == 200
    assert client.delete(where).status_code == 204
    assert (client.get(where).status_code, client.get(picture).status_code) == (404, 404)


@pytest.mark.usefixtures("process")
def test_pictures_expire_and_stay_out_of_redis_file(
    client: FlaskClient, redis: Redis, redis_server: EmbeddedRedis
) -> None:
    original = jpeg(640, 480, grey=77)
    answer = upload(client, original)
    [pictures] = redis.scan_iter(UPLOADED_PICTURES)
    assert 0 < redis.ttl(pictures) <= KEPT_S
    assert original not in everything_in(redis), "what was uploaded goes once it was analysed"
    annotated = client.get(answer.json["images"][0]["picture"]).data
    [sealed] = redis.hgetall(pictures).values()
    assert PictureSeal(redis).open(sealed) == annotated
    assert annotated[100:200] not in everything_in(redis)
    folder = Path(redis_server.socket_path).parent
    written = b"".join(path.read_bytes() for path in folder.rglob("*.aof*") if path.is_file())
    assert answer.json["id"].encode() in written, "the test looks at the right files"
    for picture in (original, annotated):
        assert picture[100:200] not in written


@pytest.mark.parametrize(
    ("images", "status", "error", "words"),
    [
        ((b"",), 400, "upload_empty", "photo 1.jpg"),
        ((jpeg(), b"GIF89a" + bytes(90)), 415, "upload_wrong_type", "photo 2.jpg"),
        ((jpeg()[:50],), 422, "upload_damaged", "photo 1.jpg"),
        ((jpeg() + bytes(MOST_BYTES),), 413, "upload_too_large", "10 MB"),
        ((jpeg(),) * (MOST_IMAGES + 1), 413, "upload_too_large", "send fewer"),
        ((jpeg() + bytes(9 << 20),) * 3, 413, "too_large", "24 MB"),
        ((), 415, "upload_wrong_type", "multipart/form-data"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anybody_decodes_it(
    client: FlaskClient,
    redis: Redis,
    images: tuple[bytes, ...],
    status: int,
    error: str,
    words: str,
) -> None:
    answer = upload(client, *images) if images else client.post(API, json={})
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert words in answer.json["detail"]
    assert not list(redis.scan_iter("*upload*"))


@pytest.mark.usefixtures("process")
def test_a_picture_that_ends_early_is_a_422_and_leaves_nothing(
    client: FlaskClient, redis: Redis
) -> None:
    answer = upload(client, jpeg(), jpeg(640, 480)[:4000])
    assert (answer.status_code, answer.json["error"]) == (422, "upload_damaged")
    assert answer.json["detail"].startswith("photo 2.jpg: the JPEG image cannot be decoded")
    assert not list(redis.scan_iter(UPLOADED_PICTURES))


def test_a_file_in_another_part_is_refused_by_its_name(client: FlaskClient) -> None:
    answer = upload(client, jpeg(), field="photo")
    assert (answer.status_code, answer.json["error"]) == (415, "upload_wrong_type")
    assert "'photo'" in answer.json["detail"]


def test_without_a_process_for_images_nothing_is_kept(client: FlaskClient, redis: Redis) -> None:
    answer = upload(client, jpeg())
    assert (answer.status_code, answer.json["error"]) == (503, "no_process")
    assert "maskwatch images" in answer.json["detail"]
    assert not list(redis.scan_iter(UPLOADED_PICTURES))


def test_a_queue_that_is_full_takes_no_more(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.try_it.image_uploads.ImageUploads.processes", lambda _: 1)
    monkeypatch.setattr("dashboard.try_it.image_uploads.WAIT_S", 0.0)
    waiting = [upload(client, jpeg()) for _ in range(8)]
    assert {answer.status_code for answer in waiting} == {202}
    assert client.get(waiting[0].headers["Location"]).json["state"] == "queued"
    answer = upload(client, jpeg())
    assert (answer.status_code, answer.json["error"]) == (429, "busy")
    assert answer.headers["Retry-After"] == "5"


def test_a_viewer_may_not_upload_and_sees_no_link_to_it(app: Flask, redis: Redis) -> None:
    viewer, operator = key_client(app, redis, "viewer"), key_client(app, redis, "operator")
    assert upload(viewer, jpeg()).status_code == 403
    assert viewer.get("/try").status_code == 403
    assert "/try" not in viewer.get("/wall").text
    assert 'href="/try"' in operator.get("/wall").text
    assert "Choose images" in operator.get("/try").text


@pytest.mark.usefixtures("process")
def test_the_path_of_the_version_before_answers_and_is_deprecated_in_the_document(
    client: FlaskClient,
) -> None:
    files = {"image": [(io.BytesIO(jpeg()), "photo.jpg")]}
    made = client.post("/api/v1/analyses", data=files, content_type="multipart/form-data")
    assert (made.status_code, made.headers["Location"]) == (201, f"{API}/{made.json['id']}")
    assert client.get(f"/api/v1/analyses/{made.json['id']}").json["images"] == made.json["images"]
    paths = client.get("/api/v1/openapi.json").json["paths"]
    former = [
        path for path, ways in paths.items() if any(w.get("deprecated") for w in ways.values())
    ]
    assert former == [path for path in paths if path.startswith("/api/v1/analyses")]
