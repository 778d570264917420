"""Bodies that no client of ours sends: refused in words, by every route there is."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.bus import Bus
from bus.keys import JOBS_QUEUE
from bus.stores.recordings import RecordingStore
from contract.cameras.camera import make_camera
from dashboard.cameras.probes import Probes
from tests.accounts import key_client, make_app
from tests.builders import jpeg
from tests.images_process import images_process
from tests.secret_key import cameras_of, vault

BODIES = {
    "lists": "[" * 60_000,
    "closed lists": "[" * 30_000 + "]" * 30_000,
    "objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "as deep as the parser goes": '{"name":' + "[" * 900 + "]" * 900 + "}",
    "a deep source": '{"name":"x","source":' + "[" * 40 + "]" * 40 + "}",
    "a long number": '{"name":' + "9" * 60_000 + "}",
    "endless": '{"name":1e999}',
    "not a number": '{"name":NaN}',
    "half a character": '{"name":"\\ud800"}',
}
WRITES = {"POST", "PUT", "PATCH", "DELETE"}


@pytest.fixture
def app(redis: Redis, tmp_path: Path) -> Flask:
    return make_app(redis, recordings_dir=tmp_path)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis, "administrator")


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_no_body_makes_any_route_fail(
    app: Flask, client: FlaskClient, redis: Redis, body: str
) -> None:
    camera = make_camera(name="Gate", source="demo:")
    cameras_of(redis).add(camera)
    tried = 0
    for rule in app.url_map.iter_rules():
        for method in WRITES & (rule.methods or set()):
            path = rule.rule
            for argument in rule.arguments:
                value = camera.id if "camera" in argument else "1"
                path = path.replace(f"<{argument}>", value).replace(f"<int:{argument}>", value)
            for media in ("application/json", "application/x-www-form-urlencoded", "text/csv"):
                answer = client.open(path, method=method, data=body, content_type=media)
                assert answer.status_code < 500, f"{method} {path} as {media}: {answer.text[:300]}"
                tried += 1
    assert tried > 60


def test_a_probe_in_redis_that_nobody_of_ours_wrote_is_unreadable_and_no_crash(
    client: FlaskClient, redis: Redis
) -> None:
    bus = Bus(redis, vault())
    probes = Probes(bus.job_queue(JOBS_QUEUE), bus.pictures, vault())
    probe_id = probes.start(make_camera(name="Gate", source="demo:"), "user:nobody")
    redis.hset(f"rq:job:{probe_id}", "meta", "[" * 100_000)
    answer = client.get(f"/api/v1/probes/{probe_id}")
    assert (answer.status_code, answer.json["error"]) == (500, "unreadable_record")


@pytest.mark.parametrize("name", ["größe.jpg", "фото.jpg", "a%0D%0Ab.jpg", "\x9b2J.jpg"])
def test_an_annotated_picture_is_downloaded_whatever_its_file_was_called(
    client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with images_process(redis, monkeypatch):
        data = {"image": [(io.BytesIO(jpeg(640, 480)), name)]}
        made = client.post("/api/v1/uploads", data=data, content_type="multipart/form-data")
    assert made.status_code == 201
    answer = client.get(made.json["images"][0]["picture"] + "?download=1")
    assert answer.status_code == 200
    answer.headers["Content-Disposition"].encode("latin-1")


@pytest.mark.parametrize("name", ["größe.mp4", "фото.mp4", "a%0D%0ASet-Cookie: x.mp4", "%ED%A0%80"])
def test_an_annotated_recording_is_downloaded_whatever_its_file_was_called(
    client: FlaskClient, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("bus.jobs.queue.JobQueue.processes", lambda _: 1)
    made = client.post(f"/api/v1/recordings?name={name}", data=b"\0\0\0\x18ftypisom" + bytes(600))
    assert made.status_code == 202
    store = RecordingStore(redis, tmp_path, 3600)
    found = store.get(made.json["id"])
    assert found is not None
    store.change(found, state="finished")
    store.annotated_file(found).write_bytes(b"a film")
    answer = client.get(f"/api/v1/recordings/{found.id}/video")
    assert answer.status_code == 200
    value = answer.headers["Content-Disposition"]
    value.encode("latin-1")
    assert value.isprintable()
    assert value.startswith("attachment")
