"""Streams as their viewers read them, without a server between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.connection.client import connect
from bus.connection.server import Server
from bus.stores.cameras import CameraRegistry
from dashboard.live.mjpeg import BOUNDARY
from dashboard.live.wall_records import decode_records
from dashboard.services import Services
from tests.accounts import key_client, make_app
from tests.integration.test_dashboard_hub import FakeCamera, Feed, eventually, picture

PLACEHOLDER_TRIES = 40


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def mjpeg_parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The JPEGs of a stream, checking what every reader of multipart relies on."""
    delimiter = f"--{BOUNDARY}\r\n".encode()
    assert next(chunks) == delimiter
    for chunk in chunks:
        assert chunk.endswith(b"\r\n" + delimiter)
        head, _, rest = chunk.partition(b"\r\n\r\n")
        size = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        assert head.startswith(b"Content-Type: image/jpeg")
        assert len(rest) == size + len(delimiter) + 2
        yield rest[:size]


def shape(jpeg: bytes) -> tuple[int, ...]:
    image: Any = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return tuple(image.shape)


def next_record(stream: Iterator[bytes], kind: str) -> tuple[dict[str, Any], bytes]:
    for chunk in stream:
        [(head, body)], rest = decode_records(chunk)
        assert rest == b""
        if head["type"] == kind:
            return head, body
    raise AssertionError(f"the stream ended without a record of type {kind}")


def test_mjpeg_carries_the_pictures_as_the_worker_drew_them(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit()
    answer = client.get(f"/cameras/{camera.id}/stream.mjpg", buffered=False)
    assert answer.content_type == f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    parts = mjpeg_parts(iter(answer.response))
    assert next(parts) == picture(1)
    camera.commit()
    assert next(parts) == picture(2)
    answer.close()


def test_mjpeg_of_a_camera_that_stopped_turns_grey_and_says_why(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit()
    answer = client.get(f"/cameras/{camera.id}/stream.mjpg", buffered=False)
    parts = mjpeg_parts(iter(answer.response))
    assert next(parts) == picture(1)
    camera.set_state("stalled", error="The camera went quiet.")
    stale = next(parts)
    assert stale != picture(1)
    assert shape(stale) == (48, 64, 3)
    assert next(parts) == stale, "the placeholder is drawn once"
    camera.set_state("live")
    sequence = camera.commit()
    assert any(next(parts) == picture(sequence) for _ in range(PLACEHOLDER_TRIES))
    answer.close()


def test_mjpeg_of_a_camera_that_never_delivered_is_a_placeholder(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    answer = client.get(f"/cameras/{camera.id}/stream.mjpg", buffered=False)
    assert shape(next(mjpeg_parts(iter(answer.response)))) == (360, 640, 3)
    answer.close()


def test_a_removed_cameras_stream_ends(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    answer = client.get(f"/cameras/{camera.id}/stream.mjpg", buffered=False)
    parts = mjpeg_parts(iter(answer.response))
    next(parts)
    CameraRegistry(redis).remove(camera.id)
    assert sum(1 for _ in parts) <= 2


def test_a_viewer_that_leaves_frees_everything(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit()
    hub = services_of(app).hub
    answer = client.get(f"/cameras/{camera.id}/stream.mjpg", buffered=False)
    next(mjpeg_parts(iter(answer.response)))
    assert hub.viewers() == 1
    answer.close()
    assert hub.viewers() == 0
    assert eventually(lambda: not hub.reading())


def test_a_snapshot_wakes_the_worker_and_waits_for_its_picture(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(age_s=30.0)  # an old picture must not do

    def draw_when_watched() -> None:
        assert eventually(lambda: redis.exists(camera.keys.watched))
        camera.commit()

    worker = threading.Thread(target=draw_when_watched)
    worker.start()
    answer = client.get(f"/cameras/{camera.id}/snapshot.jpg")
    worker.join()
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.data == picture(2)
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_snapshot_is_better_than_an_old_one(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(age_s=5.0)
    camera.set_state("offline", error="Nothing listens there.")
    answer = client.get(f"/cameras/{camera.id}/snapshot.jpg")
    assert answer.status_code == 503
    assert answer.json == {"error": "no_picture", "detail": "Nothing listens there."}
    assert client.get("/cameras/nowhere/snapshot.jpg").status_code == 404
    assert client.get("/cameras/nowhere/stream.mjpg").status_code == 404


def test_one_connection_carries_a_wall_and_its_states(client: FlaskClient, redis: Redis) -> None:
    cameras = [FakeCamera(redis, f"Gate {n}") for n in range(8)]
    wanted = ",".join(camera.id for camera in cameras[:7])
    answer = client.get(f"/wall/stream?cameras={wanted},nowhere", buffered=False)
    stream = iter(answer.response)
    states, _ = next_record(stream, "state")
    assert [camera["name"] for camera in states["cameras"]] == [c.camera.name for c in cameras]
    with Feed(*cameras):
        seen = {}
        while len(seen) < 7:
            head, body = next_record(stream, "picture")
            assert body == picture(head["sequence"])
            seen[head["camera"]] = head["counts"]["mask"]
    assert seen == dict.fromkeys(wanted.split(","), 1)
    answer.close()


def test_a_wall_gets_fewer_pictures_of_a_tile_that_is_tiny(
    client: FlaskClient, redis: Redis
) -> None:
    tiny, plain = FakeCamera(redis, "Tiny"), FakeCamera(redis, "Plain")
    ids = f"{tiny.id},{plain.id}"
    answer = client.get(f"/wall/stream?cameras={ids}&slow={tiny.id}", buffered=False)
    stream, seen = iter(answer.response), {tiny.id: 0, plain.id: 0}
    with Feed(tiny, plain):
        while seen[plain.id] < 12 or not seen[tiny.id]:
            seen[next_record(stream, "picture")[0]["camera"]] += 1
    assert seen[tiny.id] < seen[plain.id]
    answer.close()


def test_streams_know_a_camera_that_was_added_a_moment_ago(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    assert services_of(app).board.snapshots() == []
    camera = FakeCamera(redis, "Gate")
    wall = client.get(f"/wall/stream?cameras={camera.id}", buffered=False)
    stream = iter(wall.response)
    assert next_record(stream, "state")[0]["cameras"][0]["id"] == camera.id
    camera.commit()
    assert next_record(stream, "picture")[0]["camera"] == camera.id
    wall.close()
    second = FakeCamera(redis, "Gate 2")
    mjpeg = client.get(f"/cameras/{second.id}/stream.mjpg", buffered=False)
    assert next(mjpeg_parts(iter(mjpeg.response)))
    mjpeg.close()


def test_a_wall_out_of_sight_gets_states_only(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    answer = client.get("/wall/stream", buffered=False)
    stream = iter(answer.response)
    next_record(stream, "state")
    camera.commit(people={"mask": 4})
    assert eventually(lambda: people(next_record(stream, "state")) == 4)
    assert not redis.exists(camera.keys.watched)
    answer.close()


def test_a_wall_learns_that_redis_is_away_and_back(
    app: Flask, client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeCamera(redis, "Gate")
    answer = client.get("/wall/stream", buffered=False)
    stream = iter(answer.response)
    next_record(stream, "state")
    board = services_of(app).board
    with monkeypatch.context() as outage:
        outage.setattr(board, "_server", Server(connect("redis://127.0.0.1:1/0")))
        assert "Redis" in next_record(stream, "trouble")[0]["detail"]
    assert next_record(stream, "state")[0]["cameras"]
    answer.close()


def test_too_many_cameras_are_refused(client: FlaskClient) -> None:
    ids = ",".join(f"c{n}" for n in range(300))
    assert client.get(f"/wall/stream?cameras={ids}").status_code == 400


def people(record: tuple[dict[str, Any], bytes]) -> int:
    return int(record[0]["cameras"][0]["people"]["mask"])


def services_of(app: Flask) -> Services:
    found = app.extensions["maskwatch"]
    assert isinstance(found, Services)
    return found
