"""The API answers with models and nothing else, and with what its document says."""

from __future__ import annotations

import copy
import io
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from bus.keys import JOBS_QUEUE
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.audits import AuditStore
from bus.stores.recordings import RecordingStore
from contract.cameras.probes import STEPS_FIELD, ProbeResult
from contract.cameras.quality import Fitness, QualityReport
from contract.people.audits import DrawnPerson
from dashboard.web.answering import Answer, answers, description_of
from tests.accounts import key_client, make_app
from tests.alerts import add_email, add_webhook
from tests.builders import add_camera, jpeg
from tests.images_process import images_process
from tests.integration.test_dashboard_alerts import note, open_one
from tests.integration.test_dashboard_hub import FakeCamera
from tests.integration.test_dashboard_recordings import analyse
from tests.servers.clips import make_clip

DOCUMENT = "/api/v1/openapi.json"


class Gate(BaseModel):
    """A gate."""

    name: str


class Door(Gate):
    """Another class with the same fields."""


@pytest.fixture
def app(redis: Redis, tmp_path: Path) -> Flask:
    return make_app(redis, recordings_dir=tmp_path / "recordings")


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def api_routes(app: Flask) -> Iterator[tuple[str, Any]]:
    for route in app.url_map.iter_rules():
        if route.rule.startswith("/api/v1/") and route.rule != DOCUMENT:
            yield route.rule, app.view_functions[route.endpoint]


def test_every_route_of_the_api_answers_with_a_model_a_file_or_nothing(app: Flask) -> None:
    seen = 0
    for rule, view in api_routes(app):
        described = description_of(view)
        assert described is not None, f"{rule} does not say @answers"
        assert described.models or described.responds or described.status == 204, rule
        seen += 1
    assert seen > 30


def no_annotation() -> Any: ...
def no_model() -> dict[str, Any]: ...
def two_models() -> Gate | Answer[Door]: ...
def undescribed_response() -> Response: ...
def model_or_nothing() -> Gate | None: ...


@pytest.mark.parametrize(
    "view", [no_annotation, no_model, two_models, undescribed_response, model_or_nothing]
)
def test_a_view_that_would_answer_without_a_model_cannot_be_written(view: Any) -> None:
    with pytest.raises(TypeError, match=f"{view.__name__}: expected to return a model"):
        answers()(view)


@pytest.mark.parametrize("returned", [{"name": "x"}, Door(name="x"), None, Response("x")])
def test_a_view_cannot_answer_with_anything_but_its_model(app: Flask, returned: Any) -> None:
    @answers()
    def view() -> Gate:
        return returned  # type: ignore[no-any-return]

    with app.test_request_context(), pytest.raises(TypeError, match=r"expected .*Gate"):
        view()


def test_a_model_becomes_the_answer(app: Flask) -> None:
    @answers(201)
    def view() -> Answer[Gate]:
        return Answer(Gate(name="x"), headers={"Location": "/x"}, version="v1")

    with app.test_request_context(method="POST"):
        answer = view()
    assert (answer.status_code, answer.json) == (201, {"name": "x"})
    assert answer.headers["Location"] == "/x"
    assert answer.headers["ETag"].startswith('W/"v1.')


def strict(document: Any) -> Any:
    """The document's schemas, in which an object has no field but those that are described."""
    schemas = copy.deepcopy(document["components"]["schemas"])
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return {"components": {"schemas": schemas}}


def probe(client: FlaskClient, redis: Redis) -> str:
    """A probe that has found something; its id."""
    probe_id = str(client.post("/api/v1/probes", json={"source": "demo:"}).json["id"])
    queue = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer)
    [job] = queue.jobs
    job.meta[STEPS_FIELD] = [{"step": "waiting", "after_s": 0.1}]
    job.save_meta()
    with pytest.MonkeyPatch.context() as patch:
        result = asdict(ProbeResult("demo:", True, 640, 360, 25.0, "h264"))
        patch.setattr("rq.job.Job._execute", lambda _: result)
        SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
    return probe_id


def populate(client: FlaskClient, redis: Redis, clip: Path) -> dict[str, str]:
    """Have something behind every GET route; return what paths ask for, by its name."""
    camera = FakeCamera(redis, "Gate", group="Hall")
    unfit = Fitness("unfit", ("too_small",), 40, 0.3, (10.0, 12.0, 15.0), 0.1, 0.2, 0.3)
    camera.count_person("mask", 0.9, 4.0)
    camera.commit(("mask", "no_mask"), condition=QualityReport({"blurred": 5.0}, unfit))
    lines = [{"name": "Across", "points": [[0.1, 0.6], [0.9, 0.6]]}]
    client.patch(f"/api/v1/cameras/{camera.id}", json={"lines": lines})
    add_camera(redis, "Away", group="Hall")
    channel = add_webhook(redis, "https://example.org/x")
    open_one(redis, channels=(channel.id,))
    note(redis, event="test")
    image = {"image": (io.BytesIO(jpeg(64, 48)), "a.jpg")}
    upload = client.post("/api/v1/uploads", data=image, content_type="multipart/form-data")
    recording = client.post("/api/v1/recordings?name=a.mp4", data=clip.read_bytes())
    analyse(redis, RecordingStore(redis, clip.parent / "recordings", 3600))
    audit = client.post("/api/v1/audits", json={"camera_id": camera.id}).json["id"]
    store = AuditStore(redis)
    [running] = store.all()
    drawn = DrawnPerson("a" * 16, camera.id, "mask", 0.9, time.time(), False, 1)
    store.add(running, camera.id, {"mask": 1}, [(drawn, [jpeg(64, 48)])])
    schedule = {"name": "Weekly", "channel_id": add_email(redis, 25).id, "to": ["a@example.org"]}
    weekly = client.post("/api/v1/reports/schedules", json=schedule).json["id"]
    ago_s = time.time() - 300
    tally = {"from_s": ago_s, "until_s": ago_s + 60, "seen": [ago_s + 1]}
    client.post(f"/api/v1/cameras/{camera.id}/tallies", json=tally)
    return {
        "audit_id": audit,
        "person_id": drawn.id,
        "schedule_id": weekly,
        "camera_id": camera.id,
        "rule_id": AlertRuleStore(redis).all()[0].id,
        "channel_id": channel.id,
        "probe_id": probe(client, redis),
        "upload_id": upload.json["id"],
        "number": "0",
        "recording_id": recording.json["id"],
    }


def test_every_get_route_answers_what_the_document_says(
    client: FlaskClient, redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.jobs.queue.JobQueue.processes", lambda _: 1)
    document = client.get(DOCUMENT).json
    # Two models of one name would be told apart by their modules.
    assert [name for name in document["components"]["schemas"] if "__" in name] == []
    schemas = strict(document)
    with images_process(redis, monkeypatch):
        named = populate(client, redis, make_clip(tmp_path / "clip.mp4", seconds=1))
    answered = 0
    for path, methods in document["paths"].items():
        told = methods.get("get", {"responses": {}})["responses"].get("200")
        if told is None or "text/event-stream" in told["content"]:
            continue
        answer = client.get(path.format(**named))
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert answer.mimetype in told["content"], path
        if answer.is_json:
            schema = told["content"]["application/json"]["schema"]
            Draft202012Validator(schema | schemas).validate(answer.json)
            lists = [value for value in answer.json.values() if isinstance(value, list)]
            assert any(lists) or not lists, f"{path} has nothing to look at"
        answered += 1
    assert answered >= 17
