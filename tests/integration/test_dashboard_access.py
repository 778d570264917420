"""Every route times every role and no role, generated from the URL map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.routing import Rule as Route

from bus.stores.cameras import CameraRegistry
from contract.accounts.grants import EVERYWHERE, Role
from dashboard.accounts.access import Rule, rule_of
from dashboard.web.guard import SAFE_METHODS
from tests.accounts import (
    accounts_of,
    csrf_token,
    key_client,
    make_app,
    make_key,
    make_user,
    sign_in,
)
from tests.builders import add_camera

PUBLIC = {
    "/healthz",
    "/sign-in",
    "/static/<path:filename>",
    "/welcome/<token>",
}
"""All that opens to nobody in particular. Whoever adds to this says why in the commit."""

OWN_BUSINESS = {"/sign-out", "/account", "/account/sign-out-everywhere"}
"""What everybody who is signed in may change: their own session and password."""

WHO: dict[str, tuple[str, dict[str, Role] | None]] = {
    "nobody": ("nobody", None),
    "metrics key": ("metrics", None),
    "viewer": ("person", {EVERYWHERE: "viewer"}),
    "operator": ("person", {EVERYWHERE: "operator"}),
    "administrator": ("person", {EVERYWHERE: "administrator"}),
    "viewer here": ("person", {"T2": "viewer"}),
    "operator here": ("person", {"T2": "operator"}),
    "administrator here": ("person", {"T2": "administrator"}),
    "administrator elsewhere": ("person", {"T1": "administrator"}),
    "viewer of all, operator here": ("person", {EVERYWHERE: "viewer", "T2": "operator"}),
    "viewer's key": ("key", {EVERYWHERE: "viewer"}),
    "operator's key": ("key", {EVERYWHERE: "operator"}),
    "administrator's key": ("key", {EVERYWHERE: "administrator"}),
}
RANK = {"viewer": 0, "operator": 1, "administrator": 2}


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


def routes(app: Flask) -> list[tuple[str, Route]]:
    return [
        (method, route)
        for route in app.url_map.iter_rules()
        for method in sorted(route.methods or ())
        if method not in {"HEAD", "OPTIONS"}
    ]


def test_every_route_says_who_may_open_it(app: Flask) -> None:
    silent = {r.rule for _, r in routes(app) if rule_of(app.view_functions[r.endpoint]) is None}
    assert silent == set()


def test_only_routes_that_must_be_public_are_public(app: Flask) -> None:
    open_to_all = {r.rule for _, r in routes(app) if rule(app, r).role is None}
    assert open_to_all == PUBLIC


def test_every_change_needs_more_than_the_role_viewer(app: Flask) -> None:
    for method, route in routes(app):
        asked = rule(app, route)
        if method in SAFE_METHODS or route.rule in PUBLIC:
            continue
        if route.rule in OWN_BUSINESS:
            assert asked.in_person, route.rule
        else:
            assert asked.role != "viewer", f"{method} {route.rule}"
        if route.rule.startswith("/settings"):
            assert (asked.role, asked.everywhere, asked.in_person) == ("administrator", True, True)


@pytest.mark.parametrize("who", WHO)
def test_every_route_admits_whom_it_should_and_nobody_else(
    app: Flask, redis: Redis, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.live.picture_streams.SNAPSHOT_WAIT_S", 0.01)
    cells = list(matrix(app, redis, who))
    assert len(cells) == len(routes(app))
    assert [cell for cell in cells if cell.expected is not cell.admitted] == []


@dataclass(frozen=True)
class Cell:
    """One route as one visitor finds it."""

    who: str
    request: str
    expected: bool
    admitted: bool
    status: int


def matrix(app: Flask, redis: Redis, who: str) -> Iterator[Cell]:
    """Try every route as `who`."""
    kind, grants = WHO[who]
    camera = add_camera(redis, "Gate", group="T2")
    client, headers = somebody(app, redis, kind, grants)
    for method, route in routes(app):
        expected = admitted(rule(app, route), route, kind, grants)
        answer = client.open(path_of(route, camera.id), method=method, headers=headers)
        answer.close()
        hidden = answer.status_code == 404 and "camera_not_found" in answer.text
        let_in = answer.status_code not in {401, 403} and not hidden
        yield Cell(who, f"{method} {route.rule}", expected, let_in, answer.status_code)
        if camera.id not in {one.id for one in CameraRegistry(redis).all()}:  # a DELETE allowed
            camera = add_camera(redis, "Gate", group="T2")
        if kind == "person" and accounts_of(redis).sessions.of_user(user_id(redis)) == {}:
            client, headers = somebody(app, redis, kind, grants)  # signed out, as asked


def test_a_view_without_a_rule_opens_to_nobody(app: Flask, redis: Redis) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    client, headers = somebody(app, redis, "person", {EVERYWHERE: "administrator"})
    assert client.get("/forgotten", headers=headers).status_code == 403
    assert "/forgotten" in {
        r.rule for _, r in routes(app) if rule_of(app.view_functions[r.endpoint]) is None
    }


def test_a_signed_in_browser_changes_nothing_without_the_pages_token(
    app: Flask, redis: Redis
) -> None:
    client, _ = somebody(app, redis, "person", {EVERYWHERE: "administrator"})
    camera = add_camera(redis, "Gate")
    for method, route in routes(app):
        if method in SAFE_METHODS:
            continue
        answer = client.open(path_of(route, camera.id), method=method)
        assert (answer.status_code, answer.json["error"]) == (400, "forged"), route.rule
    assert [found.name for found in CameraRegistry(redis).all()] == ["Gate"]


def rule(app: Flask, route: Route) -> Rule:
    found = rule_of(app.view_functions[route.endpoint])
    assert found is not None, route.rule
    return found


def admitted(asked: Rule, route: Route, kind: str, grants: dict[str, Role] | None) -> bool:
    """Written again from the words of docs/how-to/accounts.md, not from the code."""
    if asked.role is None:
        return True
    if kind == "nobody":
        return False
    if kind == "metrics":
        return route.rule == "/metrics"
    assert grants is not None
    if asked.in_person and kind == "key":
        return False
    if asked.everywhere:
        held = [grants[EVERYWHERE]] if EVERYWHERE in grants else []
    elif "<camera_id>" in route.rule:
        held = [role for group, role in grants.items() if group in {EVERYWHERE, "T2"}]
    else:
        held = list(grants.values())
    return any(RANK[role] >= RANK[asked.role] for role in held)


def somebody(
    app: Flask, redis: Redis, kind: str, grants: dict[str, Role] | None
) -> tuple[FlaskClient, dict[str, str]]:
    client = app.test_client()
    if kind == "nobody":
        return client, {}
    if kind == "metrics":
        _, key = accounts_of(redis).api_keys.add("scrape", {}, 1, "a test", metrics=True)
        return client, {"Authorization": f"Bearer {key}"}
    assert grants is not None
    if kind == "key":
        [(group, role)] = grants.items()
        return client, {"Authorization": f"Bearer {make_key(redis, role, group)}"}
    if accounts_of(redis).users.find("Ada") is None:
        make_user(redis, **grants)
    assert sign_in(client).status_code == 302
    return client, {"X-CSRFToken": csrf_token(client), "Accept": "application/json"}


def user_id(redis: Redis) -> str:
    user = accounts_of(redis).users.find("Ada")
    assert user is not None
    return user.id


def path_of(route: Route, camera_id: str) -> str:
    values = dict.fromkeys(route.arguments, "nothing")
    if "camera_id" in values:
        values["camera_id"] = camera_id
    path = route.rule
    for name, value in values.items():
        for form in (f"<{name}>", f"<path:{name}>"):
            path = path.replace(form, value)
        path = path.replace(f"<int:{name}>", "0")
    return path


ROADS = 4
FILES: list[tuple[Role, str, bool, str, bool]] = [
    ("operator", EVERYWHERE, False, "videos/film.mp4", False),
    ("administrator", "T1", False, "videos/film.mp4", False),
    ("administrator", EVERYWHERE, False, "other/film.mp4", True),
    ("operator", "T1", True, "videos/film.mp4", True),
    ("operator", "T1", True, "other/film.mp4", False),
    ("operator", "T1", True, "videos/../other/film.mp4", False),
]


@pytest.mark.parametrize(("role", "group", "folders", "path", "allowed"), FILES)
def test_files_are_named_by_administrators_of_all_cameras_or_from_the_given_folders(
    redis: Redis, tmp_path: Path, role: Role, group: str, folders: bool, path: str, allowed: bool
) -> None:
    for folder in ("videos", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "film.mp4").touch()
    app = make_app(redis, source_folders=str(tmp_path / "videos") if folders else "")
    client = key_client(app, redis, role, group)
    answers = said_of(client, f"{tmp_path}/{path}")
    assert [status < 400 for status, _ in answers] == [allowed] * ROADS, answers
    if not allowed:
        missing = said_of(client, f"{tmp_path}/{path}".replace("film", "nothing"))
        assert missing == answers, "whether there is a file is not told"


def said_of(client: FlaskClient, source: str) -> list[tuple[int, str]]:
    """What each road that a file's path can be brought in by says to it."""
    camera = {"group": "T1", "source": "demo:"}
    name = f"Camera {source[-12:]}"
    made = client.post("/api/v1/cameras", json={**camera, "name": name}).json["id"]
    table = f"name,group,source\nNew {name},T1,{source}\n"
    answers = [
        client.post("/api/v1/cameras", json={**camera, "name": f"2 {name}", "source": source}),
        client.patch(f"/api/v1/cameras/{made}", json={"source": source}),
        client.post("/api/v1/probes", json={"source": source}),
    ]
    said = [(one.status_code, one.json.get("detail", "")) for one in answers]
    imported = client.post("/api/v1/cameras/import?dry_run=1&format=csv", data=table)
    problems = [problem["detail"] for problem in imported.json["cameras"][0]["problems"]]
    return [*said, (422, problems[0]) if problems else (200, "")]
