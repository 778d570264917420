"""Many cameras exported and imported through the dashboard, and on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.stores.history import HistoryStore
from contract.cameras.camera import Camera, make_camera
from contract.errors import CamerasChangedError
from dashboard.cameras.file.entries import MOST_BYTES
from tests.accounts import accounts_of, key_client, make_app
from tests.builders import add_camera, everything_in
from tests.integration.test_dashboard_hub import FakeCamera
from tests.secret_key import cameras_of
from tests.unit.test_maskwatch_command import run_command

API = "/api/v1/cameras"
SECRET = "s3cret"  # noqa: S105 - a made-up one, looked for in what must not show it
MANY = 200


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def send(client: FlaskClient, text: str, query: str = "", form: str = "csv") -> Any:
    media = {"csv": "text/csv", "yaml": "application/yaml"}[form]
    return client.post(f"{API}/import{query}", data=text.encode(), content_type=media)


def names(redis: Redis) -> list[str]:
    return [camera.name for camera in cameras_of(redis).all()]


def sheet(count: int = MANY) -> str:
    rows = [
        f"Gate {n},rtsp://admin:{SECRET}{n}@10.0.{n}.9/live,Terminal {n % 4},8"
        for n in range(count)
    ]
    return "\n".join(["name,source,group,analysis_fps", *rows])


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_two_hundred_cameras_come_in_and_go_out_and_come_back_unchanged(
    client: FlaskClient, redis: Redis, form: str
) -> None:
    dry = send(client, sheet(), "?dry_run=1").json
    assert (dry["applied"], dry["counts"]["added"], names(redis)) == (False, MANY, [])
    made = send(client, sheet())
    assert (made.status_code, made.json["applied"], made.json["counts"]["added"]) == (
        200,
        True,
        MANY,
    )
    exported = client.get(f"{API}/export?format={form}")
    assert exported.headers["Content-Disposition"] == f'attachment; filename="cameras.{form}"'
    assert SECRET not in exported.text
    assert exported.data.startswith(b"\xef\xbb\xbf") is (form == "csv")
    again = send(client, exported.text, "?dry_run=1", form).json
    assert again["counts"] == {
        **dict.fromkeys(("added", "changed", "refused", "removed"), 0),
        "unchanged": MANY,
    }
    before = cameras_of(redis).all()
    assert send(client, exported.text, "", form).json["applied"]
    assert cameras_of(redis).all() == before
    assert {camera.source for camera in before} >= {f"rtsp://admin:{SECRET}7@10.0.7.9/live"}
    assert SECRET.encode() not in everything_in(redis)


def test_one_bad_row_changes_nothing_unless_the_good_ones_are_asked_for(
    client: FlaskClient, redis: Redis
) -> None:
    text = "name,source,max_width\nGate,demo:,1280\nHall,ftp://10.0.0.9/x,1280\n"
    refused = send(client, text)
    assert (refused.status_code, refused.json["error"]) == (422, "invalid_cameras")
    assert (
        "1 of 2 cameras cannot be taken, so nothing was changed; line 3: source:"
        in (refused.json["detail"])
    )
    assert [row["outcome"] for row in refused.json["cameras"]] == ["added", "refused"]
    assert names(redis) == []
    assert send(client, text, "?partial=1").json["counts"]["added"] == 1
    assert names(redis) == ["Gate"]


def test_cameras_are_removed_with_their_counts_only_when_asked(
    client: FlaskClient, redis: Redis
) -> None:
    gate = FakeCamera(redis, "Gate")
    gate.commit(("mask",), {"mask": 3})
    add_camera(redis, "Hall")
    assert send(client, "name\nHall\n").json["counts"]["unchanged"] == 1
    assert names(redis) == ["Gate", "Hall"]
    both = send(client, "name\nHall\n", "?remove_missing=1&partial=1")
    assert (both.status_code, both.json["error"]) == (422, "invalid_query")
    removed = send(client, "name\nHall\n", "?remove_missing=1").json
    assert [(row["outcome"], row["name"]) for row in removed["cameras"]] == [
        ("unchanged", "Hall"),
        ("removed", "Gate"),
    ]
    assert names(redis) == ["Hall"]
    assert gate.id.encode() not in everything_in(redis)
    assert list(HistoryStore(redis).days([gate.id], 0, 30_000)) == []


def test_an_import_is_in_the_audit_log_and_a_dry_run_is_not(
    client: FlaskClient, redis: Redis
) -> None:
    add_camera(redis, "Gate", source="demo:")
    text = f"name,source\nGate,rtsp://u:{SECRET}@h/1\nHall,demo:\n"
    send(client, text, "?dry_run=1")
    assert accounts_of(redis).audit.newest(9) == []
    send(client, text)
    found = [(entry.action, entry.subject) for entry in accounts_of(redis).audit.newest(9)]
    assert found[::-1] == [
        ("imported cameras", "1 added, 1 changed"),
        ("changed a camera", "Gate: source"),
        ("registered a camera", "Hall"),
    ]


def test_groups_bound_what_is_exported_and_imported(app: Flask, redis: Redis) -> None:
    here = add_camera(redis, "Here", group="T2")
    there = add_camera(redis, "There", group="T1")
    operator = key_client(app, redis, "operator", "T2")
    mine = operator.get(f"{API}/export").text
    assert (here.id in mine, there.id in mine) == (True, False)
    assert "There" not in operator.get(f"{API}/export?format=csv&group=T1").text
    # A camera out of sight does not exist, but for what its id protects.
    sent = send(operator, f"id,name,source,group\n{there.id},Mine,demo:,T2\n").json
    assert sent["cameras"][0]["outcome"] == "added"
    assert cameras_of(redis).get(there.id).name == "There"
    added = send(operator, "name,source,group\nThere,demo:,T2\n", "?dry_run=1")
    assert added.json["counts"]["added"] == 1
    away = send(operator, f"id,group\n{here.id},T1\n")
    assert "operator for cameras of 'T1'" in away.json["detail"]
    left = send(operator, "name\nHere\nMine\n", "?remove_missing=1").json
    assert left["counts"]["removed"] == 0
    refused = send(operator, "name\nHere\n", "?remove_missing=1")
    assert "administrator" in refused.json["detail"]
    viewer = key_client(app, redis, "viewer")
    assert send(viewer, "name\nHere\n", "?dry_run=1").status_code == 403
    assert viewer.get(f"{API}/export").status_code == 200


@pytest.mark.parametrize(
    ("query", "accept", "status", "media"),
    [
        ("", None, 200, "application/yaml; charset=utf-8"),
        ("", "text/csv", 200, "text/csv; charset=utf-8"),
        ("", "application/yaml", 200, "application/yaml; charset=utf-8"),
        ("?format=csv", "application/yaml", 200, "text/csv; charset=utf-8"),
        ("", "image/png", 406, "application/json"),
        ("?format=xml", None, 422, "application/json"),
        ("?colour=red", None, 422, "application/json"),
    ],
)
def test_the_form_is_as_it_is_asked_for(
    client: FlaskClient, query: str, accept: str | None, status: int, media: str
) -> None:
    answer = client.get(f"{API}/export{query}", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (status, media)


def test_what_is_no_file_of_cameras_is_refused_in_words(client: FlaskClient) -> None:
    answers = {
        415: client.post(f"{API}/import", data="name\nx\n", content_type="text/plain"),
        413: client.post(f"{API}/import?format=csv", data=b"x" * (MOST_BYTES + 1)),
        422: client.post(f"{API}/import?format=yaml", data=b"x"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert answer.json["detail"]
    assert answers[422].json["error"] == "invalid_file"


def test_cameras_that_changed_meanwhile_are_not_written_over(redis: Redis) -> None:
    registry = cameras_of(redis)
    revision = registry.revision()
    gate = add_camera(redis, "Gate")
    new = make_camera(name="Hall", source="demo:")
    with pytest.raises(CamerasChangedError, match="nothing was changed"):
        registry.apply(revision, [new], [gate.id])
    assert names(redis) == ["Gate"]
    registry.apply(registry.revision(), [new], [gate.id])
    assert names(redis) == ["Hall"]


def test_what_was_shown_is_what_is_done_or_nothing_is(client: FlaskClient, redis: Redis) -> None:
    text = "name,source\nGate,demo:\n"
    shown = send(client, text, "?dry_run=1")
    assert shown.headers["ETag"] == f'"{shown.json["revision"]}"'
    add_camera(redis, "Hall")
    late = client.post(
        f"{API}/import",
        data=text,
        content_type="text/csv",
        headers={"If-Match": shown.headers["ETag"]},
    )
    assert (late.status_code, late.json["error"]) == (412, "camera_changed")
    assert names(redis) == ["Hall"]


def test_the_command_line_does_the_same(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    gate = cameras_of(redis).add(make_camera(name="Gate", source=f"rtsp://u:{SECRET}@h/1"))
    exported = tmp_path / "cameras.yaml"
    assert run_command(redis_url, "camera", "export", str(exported))[0] == 0
    text = exported.read_text()
    assert SECRET not in text
    exported.write_text(text.replace("Gate", "Gate West"))
    dry = run_command(redis_url, "camera", "import", str(exported), "--dry-run")
    assert (dry[0], "name: Gate -> Gate West" in dry[1]) == (0, True), dry
    assert names(redis) == ["Gate"]
    assert run_command(redis_url, "camera", "import", str(exported))[0] == 0
    found: Camera = cameras_of(redis).get(gate.id)
    assert (found.name, found.source) == ("Gate West", f"rtsp://u:{SECRET}@h/1")
    exported.write_text(text.replace("analysis_fps: 8.0", "analysis_fps: 0"))
    status, output = run_command(redis_url, "camera", "import", str(exported))
    assert (status, "analysis_fps: " in output, "nothing was changed" in output) == (2, True, True)
    assert accounts_of(redis).audit.newest(1)[0].who == "the command line"
