"""The API, as a client meets it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from bus.connection.client import connect
from bus.keys import JOBS_QUEUE, probe_picture
from bus.members.members import Membership
from bus.stores.pictures import PictureStore
from contract.cameras.camera import make_camera
from contract.cameras.probes import SNAPSHOT, SNAPSHOT_FIELD, STEPS_FIELD
from contract.cameras.quality import Fitness, QualityReport
from dashboard.app import MAX_BODY_BYTES
from tests.accounts import key_client, make_app
from tests.integration.test_dashboard_hub import FakeCamera
from tests.secret_key import cameras_of, vault

SECRET = "s3cret"  # noqa: S105 - a made-up one, looked for in what must not show it
SOURCE = f"rtsp://admin:{SECRET}@10.0.0.9/live"
API = "/api/v1/cameras"


@pytest.fixture
def client(redis: Redis) -> FlaskClient:
    return key_client(make_app(redis), redis)


@pytest.fixture
def lost() -> FlaskClient:
    """A dashboard whose Redis is not there."""
    client = make_app(connect("redis://127.0.0.1:1/0")).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer mw_any_key"
    return client


def add(client: FlaskClient, name: str = "Gate", source: str = SOURCE, **fields: Any) -> Any:
    answer = client.post(API, json={"name": name, "source": source, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json


def test_a_camera_is_added_read_changed_and_removed(client: FlaskClient) -> None:
    created = add(client, analysis_fps=4, detector="ssd")
    path = f"{API}/{created['id']}"
    assert created["status"]["state"] == "offline"
    assert client.get(path).json["analysis_fps"] == 4
    assert client.patch(path, json={"name": "Gate 2", "enabled": False}).json["name"] == "Gate 2"
    assert client.get(path).json["status"]["state"] == "disabled"
    assert [camera["id"] for camera in client.get(API).json["cameras"]] == [created["id"]]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_lines_zones_and_ignored_areas_are_drawn_read_and_refused_by_api(
    client: FlaskClient,
) -> None:
    door = {"name": "Door", "points": [[0.1, 0.6], [0.9, 0.6]]}
    created = add(client, lines=[door])
    path = f"{API}/{created['id']}"
    assert client.get(path).json["lines"] == [door]
    queue = {"name": "Queue", "points": [[0.5, 0.3], [1, 0.3], [1, 1]]}
    changed = client.patch(path, json={"zones": [queue], "lines": []}).json
    assert (changed["zones"], changed["lines"]) == ([queue], [])
    twisted = [[[0, 0], [1, 1], [1, 0], [0, 1]]]
    refused = client.patch(path, json={"ignored": twisted})
    assert refused.status_code == 422
    assert "so that no edge crosses another" in refused.json["detail"]
    assert client.get(path).json["ignored"] == []


def test_a_camera_tells_its_state_faces_people_and_age(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(("mask", "mask", "no_mask"), {"mask": 3, "no_mask": 1, "unknown": 2})
    told = client.get(f"{API}/{camera.id}").json
    assert told["status"]["state"] == "live"
    assert (told["status"]["fps"], told["status"]["codec"]) == (25.0, "h264")
    assert told["faces"] == {"mask": 2, "incorrect": 0, "no_mask": 1, "unknown": 0}
    assert told["people"] == {"mask": 3, "incorrect": 0, "no_mask": 1, "unknown": 2}
    assert told["compliance"]["people"] == 4
    assert told["compliance"]["rate"] == 0.75
    assert told["picture_age_s"] >= 0.1
    assert told["reason"] == ""


def test_the_newest_faces_come_with_boxes_scores_tracks_and_capture_time(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    assert client.get(f"{API}/{camera.id}/faces").json["frame_index"] is None
    camera.commit(("incorrect",))
    found = client.get(f"{API}/{camera.id}/faces").json
    assert found["frame_index"] == 3
    assert found["age_s"] >= 0.1
    assert found["faces"] == [
        {
            "box": [1.0, 2.0, 21.0, 32.0],
            "score": 0.9,
            "verdict": "incorrect",
            "confidence": 0.8,
            "track_id": 0,
        }
    ]


def test_faces_of_a_camera_that_stopped_are_not_in_view(client: FlaskClient, redis: Redis) -> None:
    old, off = FakeCamera(redis, "Old"), FakeCamera(redis, "Off")
    old.commit(("mask",), age_s=20)
    off.commit(("mask",))
    off.set_state("stalled", error="The camera went quiet.")
    for camera in (old, off):
        assert sum(client.get(f"{API}/{camera.id}").json["faces"].values()) == 0
    assert client.get(f"{API}/{off.id}").json["reason"] == "The camera went quiet."
    assert "no analysed pictures" in client.get(f"{API}/{old.id}").json["reason"]


def test_no_password_leaves_the_dashboard(client: FlaskClient) -> None:
    camera = add(client)
    for path in (API, f"{API}/{camera['id']}", "/", "/metrics"):
        assert SECRET not in client.get(path).text
    for page in ("", "/edit"):
        answer = client.get(f"/cameras/{camera['id']}{page}")
        assert SECRET not in answer.text
        assert "rtsp://***@10.0.0.9/live" in answer.text


def test_saving_the_redacted_source_keeps_the_password(client: FlaskClient, redis: Redis) -> None:
    camera = add(client)
    path = f"{API}/{camera['id']}"
    answer = client.patch(path, json={"source": camera["source"], "name": "Gate 2"})
    assert answer.status_code == 200
    assert cameras_of(redis).get(camera["id"]).source == SOURCE


def test_stars_in_another_address_are_refused_and_change_nothing(
    client: FlaskClient, redis: Redis
) -> None:
    camera = add(client)
    answer = client.patch(f"{API}/{camera['id']}", json={"source": "rtsp://***@evil.example/live"})
    assert answer.status_code == 422
    assert "***" in answer.json["detail"]
    assert cameras_of(redis).get(camera["id"]).source == SOURCE
    assert client.post(API, json={"name": "x", "source": camera["source"]}).status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"source": "0"}, 422, "invalid_camera"),
        ({"name": "x"}, 422, "invalid_camera"),
        ({"name": "x", "source": "file:///etc/passwd"}, 422, "invalid_camera"),
        ({"name": "x", "source": "0", "analysis_fps": 0}, 422, "invalid_camera"),
        ({"name": "x", "source": "0", "id": "mine"}, 422, "invalid_camera"),
        ({"name": "x", "source": "0", "color": "red"}, 422, "invalid_camera"),
        ({"name": ["x"], "source": 5}, 422, "invalid_camera"),
        (["x"], 400, "bad_request"),
        ("x", 400, "bad_request"),
        ({"name": "GATE", "source": "0"}, 409, "name_taken"),
    ],
)
def test_a_camera_that_cannot_be_is_refused(
    client: FlaskClient, body: Any, status: int, error: str
) -> None:
    add(client)
    answer = client.post(API, json=body)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.json["detail"]
    assert len(client.get(API).json["cameras"]) == 1


def test_http_mistakes_are_named(client: FlaskClient) -> None:
    big = json.dumps({"name": "x" * MAX_BODY_BYTES})
    json_type = {"Content-Type": "application/json"}
    answers = {
        400: client.post(API, data="{", headers=json_type),
        404: client.get(f"{API}/nowhere"),
        405: client.put(API, json={}),
        413: client.post(API, data=big, headers=json_type),
        415: client.post(API, data="name=x&source=0"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.json.keys() == {"error", "detail"}
    assert "POST" in answers[405].headers["Allow"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_another_site_changes_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    camera = add(client)
    assert client.delete(f"{API}/{camera['id']}", headers=headers).status_code == 403
    assert client.post(API, json={"name": "x", "source": "0"}, headers=headers).status_code == 403
    same = {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}
    assert client.delete(f"{API}/{camera['id']}", headers=same).status_code == 204


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("dashboard:8000", 200),
        ("cctv.airport.internal", 200),
        ("wall.example.org", 200),
        ("rebound.example", 400),
    ],
)
def test_only_known_names_reach_the_pictures(redis: Redis, host: str, status: int) -> None:
    client = key_client(make_app(redis, trusted_hosts="wall.example.org"), redis)
    assert client.get(API, headers={"Host": host}).status_code == status
    assert client.get("/metrics", headers={"Host": host}).status_code == 200


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", API, "/nowhere", "/static/wall.js"):
        headers = client.get(path).headers
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_an_outage_is_said_to_machines_and_to_people(lost: FlaskClient) -> None:
    for path in (API, "/healthz", "/wall/stream", "/cameras/x/snapshot.jpg"):
        answer = lost.get(path)
        assert (answer.status_code, answer.json["error"]) == (503, "redis_unavailable")
        assert "cannot be reached" in answer.json["detail"]
        assert answer.json["cause"] == "unreachable"
    page = lost.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert "<h1>Redis cannot be reached</h1>" in page.text


def test_health_needs_a_worker(client: FlaskClient, redis: Redis) -> None:
    assert client.get("/healthz").status_code == 503
    assert client.get("/healthz").json["error"] == "no_worker"
    Membership(redis, "worker", 2).beat("w1")
    assert client.get("/healthz").json == {"status": "ok", "workers": 1, "ingests": 0}


def test_a_probe_goes_through_the_jobs_queue_and_hides_the_source(
    client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer)
    started = client.post("/api/v1/probes", json={"source": SOURCE})
    assert started.status_code == 202
    waiting = client.get(started.headers["Location"]).json
    assert (waiting["state"], waiting["result"], waiting["jobs_processes"]) == ("queued", None, 0)
    assert waiting["steps"] == []
    [job] = queue.jobs
    job.meta[STEPS_FIELD] = [{"step": "connecting", "after_s": 0.1}]
    job.save_meta()
    assert client.get(started.headers["Location"]).json["steps"] == job.meta[STEPS_FIELD]
    assert (job.func_name, job.args[0]) == (
        "ingest.probe.probe.probe_camera",
        "rtsp://***@10.0.0.9/live",
    )
    assert vault().open(job.args[1]) == SOURCE
    assert SECRET not in job.description
    monkeypatch.setattr("rq.job.Job._execute", lambda _: {"reachable": True, "codec": "h264"})
    SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
    done = client.get(started.headers["Location"]).json
    assert (done["state"], done["result"]["codec"]) == ("finished", "h264")
    assert done["result"][SNAPSHOT_FIELD] == ""
    PictureStore(redis).put(probe_picture(done["id"]), {SNAPSHOT: b"a picture"}, 60)
    shown = client.get(started.headers["Location"]).json
    assert base64.b64decode(shown["result"][SNAPSHOT_FIELD]) == b"a picture"


def test_a_probe_is_for_who_asked_for_it_alone(client: FlaskClient, redis: Redis) -> None:
    where = client.post("/api/v1/probes", json={"source": SOURCE}).headers["Location"]
    for role in ("operator", "administrator"):
        answer = key_client(client.application, redis, role).get(where)
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    assert client.get(where).status_code == 200


def test_a_probe_that_fails_says_so_without_a_traceback(
    client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise RuntimeError(f"could not open {SOURCE}")

    monkeypatch.setattr("rq.job.Job._execute", fail)
    started = client.post("/api/v1/probes", json={"source": SOURCE})
    queue = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer)
    SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
    answer = client.get(started.headers["Location"])
    assert answer.json["state"] == "failed"
    assert answer.json["result"]["reachable"] is False
    assert SECRET not in answer.text


def test_a_saved_camera_is_probed_with_its_hidden_password(
    client: FlaskClient, redis: Redis
) -> None:
    camera = add(client)
    asked = {"camera_id": camera["id"], "source": camera["source"]}
    assert client.post("/api/v1/probes", json=asked).status_code == 202
    [job] = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer).jobs
    assert vault().open(job.args[1]) == SOURCE
    elsewhere = {"camera_id": camera["id"], "source": "rtsp://***@evil.example/"}
    assert client.post("/api/v1/probes", json=elsewhere).status_code == 422


def test_a_probe_shows_the_picture_as_the_form_would_save_it(
    client: FlaskClient, redis: Redis
) -> None:
    camera = add(client, rotate=90, aspect="4:3")
    asked = {"camera_id": camera["id"], "rotate": 180, "stream": 2}
    assert client.post("/api/v1/probes", json=asked).status_code == 202
    [job] = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer).jobs
    assert job.args[2] == {"rotate": 180, "aspect": "4:3", "stream": 2}
    wrong = client.post("/api/v1/probes", json={"source": SOURCE, "rotate": 45})
    assert (wrong.status_code, "rotate: expected 0, 90" in wrong.json["detail"]) == (422, True)


@pytest.mark.parametrize("body", [{}, {"source": ""}, {"source": "file:///x"}, {"source": None}])
def test_a_probe_of_nothing_is_refused(client: FlaskClient, body: Any) -> None:
    assert client.post("/api/v1/probes", json=body).status_code == 422


def test_jobs_of_another_kind_cannot_be_read(client: FlaskClient, redis: Redis) -> None:
    queue = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer)
    job = queue.enqueue("os.getcwd")
    assert client.get(f"/api/v1/probes/{job.id}").status_code == 404
    assert client.get("/api/v1/probes/none").status_code == 404


def test_the_pages_open(client: FlaskClient) -> None:
    assert "No cameras yet" in client.get("/wall").text
    camera = add(client, name='<b>"Gate"</b>')
    for path in (
        "/wall",
        "/cameras/new",
        f"/cameras/{camera['id']}",
        f"/cameras/{camera['id']}/edit",
    ):
        page = client.get(path)
        assert page.status_code == 200
        assert '<b>"Gate"' not in page.text
    missing = client.get("/cameras/nowhere", headers={"Accept": "text/html"})
    assert missing.status_code == 404
    assert "no camera has the id" in missing.text


def test_a_camera_says_that_its_picture_is_not_to_be_believed_and_why(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(condition=QualityReport({"frozen": 1234.5}))
    told = client.get(f"{API}/{camera.id}").json["quality"]
    assert (told["valid"], told["problem"]) == (False, "frozen")
    assert told["problems"] == [{"problem": "frozen", "since_s": 1234.5, "words": "Picture frozen"}]
    assert "Restart the camera" in told["advice"]
    assert client.get(f"{API}/{camera.id}/faces").json["quality"]["problem"] == "frozen"
    camera.commit(condition=QualityReport())
    assert client.get(f"{API}/{camera.id}").json["quality"]["valid"]


def test_nothing_is_said_of_a_picture_that_does_not_come(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(condition=QualityReport({"frozen": 1234.5}))
    camera.set_state("offline", error="gone")
    assert client.get(f"{API}/{camera.id}").json["quality"]["problem"] is None


def test_a_cameras_fitness_comes_with_reasons_sizes_and_what_to_do(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    fresh = client.get(f"{API}/{camera.id}/fitness").json
    assert (fresh["status"], fresh["people"], fresh["face_px"]["median"]) == ("learning", 0, None)
    small = Fitness("unfit", ("too_small",), 40, 0.3, (11.0, 14.5, 19.0), 0.1, 0.2, 0.3)
    camera.commit(condition=QualityReport({}, small))
    told = client.get(f"{API}/{camera.id}/fitness").json
    assert told["words"] == "Masks cannot be measured well here: faces are too small."
    assert "closer" in told["advice"][0]
    assert told["face_px"] == {"lower_quartile": 11.0, "median": 14.5, "upper_quartile": 19.0}
    assert (told["people"], told["judged_share"]) == (40, 0.3)
    assert client.get(f"{API}/{camera.id}").json["fitness"] == "unfit"
    assert client.get(f"{API}/nobody/fitness").status_code == 404


def test_a_change_of_what_somebody_else_changed_is_refused_whole(
    client: FlaskClient, redis: Redis
) -> None:
    created = client.post(API, json={"name": "Gate", "source": SOURCE})
    path = f"{API}/{created.json['id']}"
    read = client.get(path)
    assert created.json["version"] == read.json["version"]
    assert read.headers["ETag"].startswith(f'W/"{read.json["version"]}.')
    mine, yours = read.headers["ETag"], f'"{read.json["version"]}"'
    changed = client.patch(path, json={"analysis_fps": 4}, headers={"If-Match": mine})
    assert (changed.status_code, changed.json["analysis_fps"]) == (200, 4)
    for answer in (
        client.patch(path, json={"name": "Hall"}, headers={"If-Match": yours}),
        client.delete(path, headers={"If-Match": yours}),
    ):
        assert (answer.status_code, answer.json["error"]) == (412, "camera_changed")
        assert "read it again" in answer.json["detail"]
    assert cameras_of(redis).get(created.json["id"]).name == "Gate"
    fresh = f'"none", "{changed.json["version"]}"'
    assert client.patch(path, json={"name": "Hall"}, headers={"If-Match": fresh}).status_code == 200
    assert client.patch(path, json={"name": "Up"}, headers={"If-Match": "*"}).status_code == 200
    last = client.get(path).headers["ETag"]
    assert client.delete(path, headers={"If-Match": last}).status_code == 204


@pytest.mark.parametrize("tag", ['""', 'W/""', "x", '"x', "W/", '"x.y", ""', "é"])
def test_a_tag_that_no_camera_has_changes_nothing(client: FlaskClient, tag: str) -> None:
    path = f"{API}/{add(client)['id']}"
    for answer in (
        client.patch(path, json={"name": "Hall"}, headers={"If-Match": tag}),
        client.delete(path, headers={"If-Match": tag}),
    ):
        assert (answer.status_code, answer.json["error"]) == (412, "camera_changed")


def test_a_version_changes_with_any_setting_and_with_nothing_else(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate", SOURCE)
    path = f"{API}/{camera.id}"
    first = client.get(path).json["version"]
    camera.commit(("mask",), {"mask": 3})
    camera.set_state("stalled")
    seen = client.get(API).json["cameras"][0]
    assert (seen["version"], seen["people"]["mask"]) == (first, 3)
    same = client.patch(path, json={"name": "Gate", "source": seen["source"]}).json["version"]
    assert same == first
    password = client.patch(path, json={"source": SOURCE.replace(SECRET, "n3w")}).json
    assert password["source"] == seen["source"]
    grouped = client.patch(path, json={"group": "T2"}).json
    assert len({first, password["version"], grouped["version"]}) == 3


FIELDS: list[Callable[[int], dict[str, Any]]] = [
    lambda turn: {"jpeg_quality": 40 + turn},
    lambda turn: {"max_width": 200 + turn},
    lambda turn: {"analysis_fps": 1.0 + turn},
    lambda turn: {"group": f"T{turn}"},
]


def test_two_changes_at_once_lose_neither(redis: Redis) -> None:
    camera = cameras_of(redis).add(make_camera(name="Gate", source=SOURCE))
    registries = [cameras_of(redis) for _ in range(4)]

    def change(number: int) -> None:
        for turn in range(10):
            registries[number].update(camera.id, **FIELDS[number](turn))

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = cameras_of(redis).get(camera.id)
    assert (found.jpeg_quality, found.max_width, found.analysis_fps) == (49, 209, 10.0)
    assert (found.group, found.source) == ("T9", SOURCE)
