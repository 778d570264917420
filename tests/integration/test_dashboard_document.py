"""The API's document: it is whole, true, and can be read on a page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from benchmarks.api_fuzz import fuzz
from contract.cameras.camera import CHANGEABLE
from dashboard.web.answering import description_of
from dashboard.web.guard import HEADERS
from tests.accounts import key_client, make_app, make_key, make_user, sign_in
from tests.builders import add_camera
from tests.integration.test_dashboard_hub import FakeCamera, eventually
from tests.integration.test_dashboard_server import Server
from tests.secret_key import cameras_of

API = "/api/v1/cameras"
QUICK_CASES = 160


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


@pytest.fixture
def document(client: FlaskClient) -> Any:
    return client.get("/api/v1/openapi.json").json


def test_every_route_of_the_api_is_in_the_document_with_words_and_answers(
    app: Flask, document: Any
) -> None:
    for route in app.url_map.iter_rules():
        if not route.rule.startswith("/api/v1/") or route.rule.endswith("/openapi.json"):
            continue
        assert description_of(app.view_functions[route.endpoint]), f"{route} describes nothing"
        assert app.view_functions[route.endpoint].__doc__, f"{route} has no words"
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(one["summary"] and one["x-role"] and "401" in one["responses"] for one in operations)


def test_the_document_is_openapi_and_its_schemas_are_json_schema(document: Any) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    assert document["openapi"] == "3.1.0"
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert "sealed_source" not in schema.get("properties", {}), name


def test_requests_are_described_as_they_are_checked(document: Any) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["NewCamera"]["properties"]) == CHANGEABLE
    assert schemas["NewCamera"]["required"] == ["name", "source"]
    assert schemas["NewCamera"]["properties"]["jpeg_quality"]["maximum"] == 100
    assert "required" not in schemas["CameraChange"]
    parameters = document["paths"]["/api/v1/compliance"]["get"]["parameters"]
    assert {one["name"] for one in parameters} == {"camera", "from", "to", "step", "tz", "format"}


def test_events_headers_and_files_are_described_as_they_come(document: Any) -> None:
    events = document["paths"]["/api/v1/events"]["get"]
    assert [one["name"] for one in events["parameters"]] == ["camera", "Last-Event-ID"]
    kinds = events["responses"]["200"]["content"]["text/event-stream"]["x-events"]
    assert kinds["person"] == {"$ref": "#/components/schemas/PersonEvent"}
    change = document["paths"]["/api/v1/cameras/{camera_id}"]["patch"]
    assert {"If-Match"} == {one["name"] for one in change["parameters"] if one["in"] == "header"}
    taken = document["paths"]["/api/v1/cameras/import"]["post"]["requestBody"]["content"]
    assert list(taken) == ["application/yaml", "text/csv"]


def test_the_page_brings_its_viewer_from_here_and_runs_no_script_of_its_own(
    client: FlaskClient,
) -> None:
    page = client.get("/api")
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.replace("img-src data:", "img-src") == HEADERS["Content-Security-Policy"]
    assert "<script>" not in page.text
    asked = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page.text)
    assert {"/api/viewer/swagger-ui-bundle.js", "/api/viewer/swagger-ui.css"} <= set(asked)
    for path in asked:
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert answer.data, path
    assert client.get("/api/viewer/index.html").status_code == 404
    assert client.get("/api/viewer/..%2f__init__.py").status_code == 404


def test_cameras_come_a_page_at_a_time(client: FlaskClient, redis: Redis) -> None:
    for number in range(5):
        add_camera(redis, f"Gate {number}", group="T2" if number % 2 else "")
    path, seen = f"{API}?limit=2", []
    while path:
        page = client.get(path).json
        assert page["total"] == 5
        seen += [camera["name"] for camera in page["cameras"]]
        path = page["next"]
    assert seen == [f"Gate {number}" for number in range(5)]
    grouped = client.get(f"{API}?group=T2").json
    assert [camera["name"] for camera in grouped["cameras"]] == ["Gate 1", "Gate 3"]
    assert (grouped["total"], grouped["next"]) == (2, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "offset=-1", "page=2", "limit=1001"])
def test_a_page_that_cannot_be_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"{API}?{query}")
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_query")
    assert query.split("=")[0] in answer.json["detail"]


@pytest.mark.parametrize(
    ("before", "status"), [("0-0", 200), ("9-0", 200), ("9" * 19 + "-1", 200), ("x", 422)]
)
def test_lists_go_on_before_any_row_there_can_be(
    app: Flask, client: FlaskClient, redis: Redis, before: str, status: int
) -> None:
    camera = add_camera(redis, "Gate")
    assert client.get(f"{API}/{camera.id}/people?before={before}").status_code == status
    make_user(redis)
    browser = app.test_client()
    sign_in(browser)
    assert browser.get(f"/settings/audit?before={before}").status_code == status


def test_an_answer_that_would_be_the_same_is_not_sent_again(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(("mask",))
    for path in (
        API,
        f"{API}/{camera.id}",
        f"{API}/{camera.id}/faces",
        f"{API}/{camera.id}/people",
        "/api/v1/compliance?from=1000000&to=2000000&step=day",
        "/api/v1/compliance?from=1000000&to=2000000&step=day&format=csv",
        "/api/v1/openapi.json",
    ):
        first = client.get(path)
        assert first.headers["ETag"], path
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b""), path
        assert "no-store" not in again.headers["Cache-Control"]
    before = client.get(f"{API}/{camera.id}").headers["ETag"]
    camera.commit(("no_mask",))
    changed = client.get(f"{API}/{camera.id}", headers={"If-None-Match": before})
    assert changed.status_code == 200


def test_generated_requests_find_no_fault(redis: Redis, redis_url: str) -> None:
    server = Server(redis_url)
    try:
        assert eventually(server.answers, 30)

        def camera_ids() -> list[str]:
            found = cameras_of(redis).all() or [add_camera(redis, "Gate")]
            return [camera.id for camera in found]

        headers = {"Authorization": f"Bearer {make_key(redis)}"}
        findings = fuzz(server.url, headers, QUICK_CASES, camera_ids)
    finally:
        server.stop()
    assert findings.cases.total() >= QUICK_CASES
    assert findings.server_errors == []
    assert findings.unlike_the_document == []
