"""Accounts as people and programs meet them."""

from __future__ import annotations

import re
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.stores.accounts.throttle import PER_ADDRESS, PER_NAME_AND_ADDRESS
from bus.stores.webcams import WebcamStore
from contract.accounts.grants import EVERYWHERE, Grants, Role, parse_grants
from contract.cameras.camera import Camera
from contract.errors import AccountError, BusyError
from dashboard.operations.metrics import camera_labels
from tests.accounts import (
    PASSWORD,
    QUICK,
    accounts_of,
    csrf_token,
    key_client,
    make_app,
    make_key,
    make_user,
    sign_in,
)
from tests.alerts import add_webhook
from tests.builders import add_camera, everything_in
from tests.integration.test_dashboard_hub import FakeCamera
from tests.secret_key import other_vault

OTHER = "quite another sentence"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def ada(app: Flask, redis: Redis) -> FlaskClient:
    """A browser in which an administrator is signed in."""
    make_user(redis)
    client = app.test_client()
    assert sign_in(client).status_code == 302
    return client


def post(client: FlaskClient, path: str, **fields: Any) -> Any:
    token = csrf_token(client)
    return client.post(path, data={"csrf_token": token, **fields}, headers=PAGE)


def test_the_first_administrator_chooses_a_password_once(app: Flask, redis: Redis) -> None:
    path = accounts_of(redis).first_link()
    assert path is not None
    browser, late = app.test_client(), app.test_client()
    for _ in range(2):  # looking uses nothing up
        assert "Welcome, admin" in browser.get(path, headers=PAGE).text
    token, late_token = csrf_token(browser, path), csrf_token(late, path)
    weak = {"password": "short", "again": "short", "csrf_token": token}
    assert browser.post(path, data=weak).status_code == 422
    unequal = {"password": PASSWORD, "again": OTHER, "csrf_token": token}
    assert "do not match" in browser.post(path, data=unequal).text
    good = {"password": PASSWORD, "again": PASSWORD, "csrf_token": token}
    assert browser.post(path, data=good).headers["Location"] == "/"
    assert browser.get("/wall", headers=PAGE).status_code == 200
    assert late.post(path, data={**good, "csrf_token": late_token}).status_code == 404
    assert late.get(path, headers=PAGE).status_code == 404
    assert accounts_of(redis).first_link() is None
    assert sign_in(late, "ADMIN").status_code == 302


def test_a_newer_link_voids_the_one_before(app: Flask, redis: Redis) -> None:
    first, second = accounts_of(redis).first_link(), accounts_of(redis).first_link()
    client = app.test_client()
    assert client.get(str(first), headers=PAGE).status_code == 404
    assert client.get(str(second), headers=PAGE).status_code == 200


def test_a_visitor_is_sent_to_the_sign_in_page_and_back(app: Flask, redis: Redis) -> None:
    make_user(redis)
    client = app.test_client()
    led = client.get("/settings/audit?before=1-1", headers=PAGE)
    assert led.status_code == 302
    assert urlsplit(led.headers["Location"]).path == "/sign-in"
    token = csrf_token(client, led.headers["Location"])
    form = {"name": "Ada", "password": PASSWORD, "csrf_token": token}
    back = client.post(led.headers["Location"], data=form)
    assert back.headers["Location"] == "/settings/audit?before=1-1"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example"]
)
def test_signing_in_leads_nowhere_else(app: Flask, redis: Redis, elsewhere: str) -> None:
    make_user(redis)
    client = app.test_client()
    form = {"name": "Ada", "password": PASSWORD, "csrf_token": csrf_token(client, "/sign-in")}
    answer = client.post("/sign-in", query_string={"next": elsewhere}, data=form)
    assert answer.headers["Location"] == "/"


def test_programs_are_told_how_to_come_in(app: Flask) -> None:
    client = app.test_client()
    answer = client.get("/api/v1/cameras", headers=PAGE)
    assert (answer.status_code, answer.json["error"]) == (401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    from_a_page = client.get("/api/v1/cameras", headers={"Sec-Fetch-Mode": "cors"})
    assert from_a_page.headers["WWW-Authenticate"].startswith("Bearer")


def test_wrong_names_and_wrong_passwords_get_the_same_answer(app: Flask, redis: Redis) -> None:
    make_user(redis)
    client = app.test_client()
    answers = [sign_in(client, "Ada", OTHER), sign_in(client, "Nobody", PASSWORD)]
    messages = {answer.text.split('role="alert">')[1].split("<")[0] for answer in answers}
    assert {answer.status_code for answer in answers} == {401}
    assert len(messages) == 1
    assert accounts_of(redis).audit.newest(1)[0].who == "an unknown account"
    assert "Nobody" not in str(redis.xrange("maskwatch:audit"))


def test_guessing_is_slowed_down_and_others_are_not(app: Flask, redis: Redis) -> None:
    make_user(redis)
    make_user(redis, "Grace")
    client = app.test_client()
    for _ in range(PER_NAME_AND_ADDRESS.amount):
        assert sign_in(client, "ada", OTHER).status_code == 401
    refused = sign_in(client)  # even with the right one
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert "Too many attempts" in refused.text
    assert sign_in(client, "Grace").status_code == 302


def test_signing_in_costs_no_attempt(app: Flask, redis: Redis) -> None:
    make_user(redis)
    for _ in range(PER_NAME_AND_ADDRESS.amount + 1):
        assert sign_in(app.test_client()).status_code == 302


def test_guessers_do_not_lock_out_an_account_that_signed_in_from_their_address(
    app: Flask, redis: Redis
) -> None:
    make_user(redis)
    assert sign_in(app.test_client()).status_code == 302
    guesser = app.test_client()
    answers = [sign_in(guesser, f"Guess {n}").status_code for n in range(PER_ADDRESS.amount + 1)]
    assert answers[-2:] == [401, 429]
    assert sign_in(app.test_client()).status_code == 302
    answers = [sign_in(guesser, "Ada", OTHER).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429], "a known name has its own limit"


def test_guesses_of_ones_own_password_are_slowed_down(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    changed = {"password": OTHER, "again": OTHER}
    for _ in range(PER_NAME_AND_ADDRESS.amount):
        assert post(ada, "/account", current="wrong", **changed).status_code == 422
    refused = post(ada, "/account", current=PASSWORD, **changed)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Too many attempts" in refused.text
    noted = [one.action for one in accounts_of(redis).audit.newest(10)]
    assert noted.count("gave a wrong password for their own") == PER_NAME_AND_ADDRESS.amount


def test_a_link_is_not_used_up_when_no_hash_can_be_computed(
    app: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(accounts_of(redis).first_link())
    browser = app.test_client()
    form = {"password": PASSWORD, "again": PASSWORD, "csrf_token": csrf_token(browser, path)}

    def full(_: object) -> None:
        raise BusyError("full")

    with monkeypatch.context() as patched:
        patched.setattr(QUICK, "_run", full)
        refused = browser.post(path, data=form)
    assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
    assert browser.post(path, data=form).status_code == 302


def test_a_cookie_is_out_of_scripts_reach_and_worthless_when_altered(
    app: Flask, redis: Redis
) -> None:
    make_user(redis)
    client = app.test_client()
    cookie = sign_in(client).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    other_key = make_app(redis, other_vault()).test_client()
    other_key.set_cookie("maskwatch_8000", cookie.split("=", 1)[1].split(";")[0])
    assert other_key.get("/account").status_code == 401
    proxied = make_app(redis, behind_proxy=True, proxy_addresses="127.0.0.1").test_client()
    answer = proxied.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_a_changed_password_ends_every_other_session(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    elsewhere = app.test_client()
    sign_in(elsewhere)
    changed = {"password": OTHER, "again": OTHER}
    assert post(ada, "/account", current="wrong", **changed).status_code == 422
    assert post(ada, "/account", current=PASSWORD, **changed).status_code == 302
    assert ada.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 401
    assert sign_in(app.test_client(), password=PASSWORD).status_code == 401
    assert sign_in(app.test_client(), password=OTHER).status_code == 302


def test_signing_out_ends_the_session_not_only_the_cookie(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    copied = app.test_client()
    cookie = ada.get_cookie("maskwatch_8000")
    assert cookie is not None
    copied.set_cookie("maskwatch_8000", cookie.value)
    assert copied.get("/account").status_code == 200
    assert post(ada, "/sign-out").status_code == 302
    assert copied.get("/account").status_code == 401


def test_a_disabled_user_is_out_at_once_live_pictures_included(
    app: Flask, redis: Redis, ada: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.accounts.admission.LOOK_EVERY_S", 0.0)
    grace = make_user(redis, "Grace", **{EVERYWHERE: "viewer"})
    camera, browser = FakeCamera(redis, "Gate"), app.test_client()
    sign_in(browser, "Grace")
    wall = browser.get(f"/wall/stream?cameras={camera.id}", buffered=False)
    mjpeg = browser.get(f"/cameras/{camera.id}/stream.mjpg", buffered=False)
    streams = [iter(wall.response), iter(mjpeg.response)]
    for stream in streams:
        assert next(stream)
    form = {"role_everywhere": "viewer"}  # a box without a tick is not sent
    assert post(ada, f"/settings/users/{grace.id}", **form).status_code == 302
    for stream in streams:
        assert sum(1 for _ in stream) <= 2
    assert browser.get("/", headers=PAGE).status_code == 302
    assert sign_in(browser, "Grace").status_code == 401


def test_a_link_works_no_more_once_the_password_was_changed(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    user = accounts_of(redis).users.find("Ada")
    assert user is not None
    links = [accounts_of(redis).links.create(user.id) for _ in range(2)]
    browser = app.test_client()
    assert [browser.get(link).status_code for link in links] == [404, 200]
    changed = {"password": OTHER, "again": OTHER}
    assert post(ada, "/account", current=PASSWORD, **changed).status_code == 302
    assert browser.get(links[1]).status_code == 404
    assert accounts_of(redis).links.take(links[1].rsplit("/", 1)[1]) is None


def test_a_sign_in_undoes_nothing_that_happened_meanwhile(redis: Redis) -> None:
    """The password is checked for a tenth of a second; what is kept must be of after it."""
    accounts, user = accounts_of(redis), make_user(redis, "Grace", T2="operator")
    accounts.change(user, enabled=False, grants={"T2": "viewer"})
    assert accounts.begin_session(user, "", "") is None
    accounts.users.update(user, signed_in_at_s=1.0)
    found = accounts.users.get(user.id)
    assert found is not None
    assert (found.enabled, found.grants) == (False, {"T2": "viewer"})
    accounts.change(user, enabled=True)
    accounts.set_password(user, OTHER)
    assert accounts.begin_session(user, "", "") is None, "the password that was right is not now"
    with pytest.raises(AccountError, match="just"):
        accounts.users.update(user, same_password=True, enabled=False)
    accounts.remove(user)
    with pytest.raises(AccountError, match="just removed"):
        accounts.users.update(user, signed_in_at_s=2.0)
    assert accounts.users.get(user.id) is None
    assert accounts.sessions.of_user(user.id) == {}


def test_the_last_administrator_cannot_be_lost(redis: Redis, ada: FlaskClient) -> None:
    users = accounts_of(redis).users
    user = users.find("Ada")
    assert user is not None
    for path, fields in (
        (f"/settings/users/{user.id}", {"role_everywhere": "viewer", "enabled": "y"}),
        (f"/settings/users/{user.id}", {"role_everywhere": "administrator"}),
        (f"/settings/users/{user.id}/remove", {"confirmed": "yes"}),
    ):
        answer = post(ada, path, **fields)
        assert answer.status_code == 422
        assert "last administrator" in answer.text
    assert users.get(user.id) == user


def test_an_account_is_made_with_roles_by_group_and_a_link(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    add_camera(redis, "Gate", group="Terminal 2")
    fields = {"name": "Grace", "role_everywhere": "viewer", "role_in_0": "operator"}
    page = post(ada, "/settings/users", **fields).text
    grace = accounts_of(redis).users.find("grace")
    assert grace is not None
    assert grace.grants == {EVERYWHERE: "viewer", "Terminal 2": "operator"}
    link = page.split('id="link"')[1].split('value="')[1].split('"')[0]
    assert app.test_client().get(urlsplit(link).path, headers=PAGE).status_code == 200
    assert "another account already has the name" in post(ada, "/settings/users", **fields).text
    assert post(ada, "/settings/users", name="Nobody").status_code == 422


def test_a_key_works_as_bearer_and_as_password_until_it_is_removed(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    page = post(
        ada, "/settings/keys", name="VLC", kind="api", role_everywhere="viewer", days="30"
    ).text
    key = page.split('id="key"')[1].split('value="')[1].split('"')[0]
    assert key not in ada.get("/settings/keys", headers=PAGE).text
    basic = b64encode(f"anything:{key}".encode()).decode()
    program = app.test_client()
    for given in (f"Bearer {key}", f"Basic {basic}"):
        answer = program.get("/api/v1/cameras", headers={"Authorization": given})
        assert answer.status_code == 200
    wrong = {"Authorization": f"Bearer {key[:-1]}"}
    assert program.get("/api/v1/cameras", headers=wrong).status_code == 401
    [made] = accounts_of(redis).api_keys.all()
    assert made.id in accounts_of(redis).api_keys.used_at_s()
    assert post(ada, f"/settings/keys/{made.id}/remove", confirmed="yes").status_code == 302
    right = {"Authorization": f"Bearer {key}"}
    assert program.get("/api/v1/cameras", headers=right).status_code == 401


def test_a_key_expires(app: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    store = accounts_of(redis).api_keys
    _, key = store.add("short", {EVERYWHERE: "viewer"}, 1, "a test")
    assert store.find(key) is not None
    later_s = time.time() + 86400
    monkeypatch.setattr("time.time", lambda: later_s)
    assert store.find(key) is None


def test_a_key_wins_over_the_session_of_the_browser_that_sends_it(
    redis: Redis, ada: FlaskClient
) -> None:
    key = make_key(redis, "viewer")
    answer = ada.get("/settings/users", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 403


def test_cameras_of_other_groups_do_not_exist(app: Flask, redis: Redis) -> None:
    here, there = FakeCamera(redis, "Here", group="T2"), FakeCamera(redis, "There", group="T1")
    client = key_client(app, redis, "operator", "T2")
    listed = client.get("/api/v1/cameras").json["cameras"]
    assert [camera["name"] for camera in listed] == ["Here"]
    assert "There" not in client.get("/wall", headers=PAGE).text
    wall = client.get(f"/wall/stream?cameras={here.id},{there.id}", buffered=False)
    assert b'"There"' not in next(iter(wall.response))
    wall.close()
    for path in ("", "/edit", "/snapshot.jpg", "/stream.mjpg"):
        assert client.get(f"/cameras/{there.id}{path}").status_code == 404
    body = {"camera_id": there.id}
    assert client.post("/api/v1/probes", json=body).status_code == 404


def test_an_operator_of_a_group_registers_and_moves_cameras_within_it_only(
    app: Flask, redis: Redis
) -> None:
    client = key_client(app, redis, "operator", "T2")
    body = {"name": "Gate", "source": "demo:"}
    for group, status in (("T1", 403), ("", 403), ("T2", 201)):
        answer = client.post("/api/v1/cameras", json={**body, "group": group})
        assert answer.status_code == status
    path = f"/api/v1/cameras/{answer.json['id']}"
    assert client.patch(path, json={"group": "T1"}).status_code == 403
    assert client.patch(path, json={"name": "Gate 2"}).status_code == 200
    assert client.delete(path).status_code == 403


def test_the_log_says_who_did_what_without_a_secret(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    camera = FakeCamera(redis, "Gate")
    headers = {"X-CSRFToken": csrf_token(ada)}
    body = {"source": "rtsp://root:s3cret-camera@10.0.0.9/live"}
    ada.patch(f"/api/v1/cameras/{camera.id}", json=body, headers=headers)
    for _ in range(2):
        ada.get(f"/cameras/{camera.id}/snapshot.jpg")
    post(ada, "/settings/users", name="Grace", role_everywhere="viewer")
    entries = [(e.who, e.action, e.subject) for e in accounts_of(redis).audit.newest(9)]
    assert entries == [
        ("Ada", "made an account", "Grace"),
        ("Ada", "watched", "Gate"),
        ("Ada", "changed a camera", "Gate: source"),
        ("Ada", "signed in", ""),
    ]
    page = ada.get("/settings/audit", headers=PAGE).text
    assert "changed a camera" in page
    assert "s3cret" not in page


def test_programs_read_the_audit_log_page_by_page_and_by_who_what_and_when(
    app: Flask, redis: Redis
) -> None:
    log, client = accounts_of(redis).audit, key_client(app, redis)
    started_s = time.time()
    for number in range(1100):
        log.write("Ada" if number % 550 else "Grace", "watched", f"Gate {number}", "10.0.0.7")
    log.write("Grace", "changed a camera", "Gate 1: source")

    def read(**asked: object) -> tuple[list[str], str | None]:
        answer = client.get("/api/v1/audit", query_string=asked)
        assert answer.status_code == 200, answer.text
        return [entry["subject"] for entry in answer.json["entries"]], answer.json["before"]

    first, before = read(limit=2)
    assert first == ["Gate 1: source", "Gate 1099"]
    assert read(limit=1, before=before)[0] == ["Gate 1098"]
    # Entries of one among many others, which are read in parts.
    assert read(actor="Grace") == (["Gate 1: source", "Gate 550", "Gate 0"], None)
    assert read(actor="Grace", action="watched", limit=1)[0] == ["Gate 550"]
    assert read(actor="grac") == ([], None)
    assert len(read(limit=1000, **{"from": started_s - 1})[0]) == 1000
    assert read(to="2020-01-01T00:00:00Z") == ([], None)
    assert read(**{"from": time.time() + 60}) == ([], None)
    entry = client.get("/api/v1/audit", query_string={"limit": 1}).json["entries"][0]
    assert list(entry) == ["id", "at_s", "actor", "action", "subject", "address"]
    assert (entry["actor"], entry["action"]) == ("Grace", "changed a camera")


@pytest.mark.parametrize(
    "asked", ["from=2&to=1", "from=soon", "limit=0", "before=x", "who=Ada", "to=1e9"]
)
def test_a_query_of_the_audit_log_that_cannot_be_used_is_refused(
    app: Flask, redis: Redis, asked: str
) -> None:
    answer = key_client(app, redis).get(f"/api/v1/audit?{asked}")
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_query")


@pytest.mark.parametrize(("role", "group"), [("operator", EVERYWHERE), ("administrator", "T2")])
def test_the_audit_log_is_for_administrators_of_everything(
    app: Flask, redis: Redis, role: Role, group: str
) -> None:
    answer = key_client(app, redis, role, group).get("/api/v1/audit")
    assert (answer.status_code, "entries" in answer.json) == (403, False)


def test_times_on_pages_name_the_servers_time_zone(
    ada: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        page = ada.get("/settings/audit", headers=PAGE).text
    finally:
        monkeypatch.undo()
        time.tzset()
    assert re.search(r"\d\d:\d\d IST<", page)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "x" * 201])
def test_a_password_that_is_easily_guessed_is_refused(redis: Redis, password: str) -> None:
    user = make_user(redis)
    with pytest.raises(AccountError, match="password"):
        accounts_of(redis).set_password(user, password)


def test_redis_holds_no_password_token_or_key(app: Flask, redis: Redis, ada: FlaskClient) -> None:
    key = make_key(redis)
    link = accounts_of(redis).links.create("someone")
    cookie = ada.get_cookie("maskwatch_8000")
    assert cookie is not None
    kept = everything_in(redis)
    assert b"argon2id" in kept
    for secret in (PASSWORD, key, link.rsplit("/", 1)[1], cookie.value):
        assert secret.encode() not in kept


def test_roles_are_read_as_they_are_written() -> None:
    assert parse_grants(["viewer", "operator:Terminal 2: north"]) == {
        EVERYWHERE: "viewer",
        "Terminal 2: north": "operator",
    }
    for wrong in (["boss"], ["viewer:"], ["viewer", "operator"]):
        with pytest.raises(AccountError):
            parse_grants(wrong)
    grants = Grants({EVERYWHERE: "operator", "T2": "viewer"})
    assert grants.role_in("T2") == "operator"  # a group adds to a role, and takes nothing away


def test_a_save_that_changes_nothing_is_not_in_the_log(
    app: Flask, redis: Redis, ada: FlaskClient
) -> None:
    camera = FakeCamera(redis, "Gate")
    grace = make_user(redis, "Grace", **{EVERYWHERE: "viewer"})
    headers = {"X-CSRFToken": csrf_token(ada)}
    when = {"kind": "offline", "for_s": 60, "clear_s": 30}
    rule = ada.post("/api/v1/alerts/rules", json={"name": "R", "when": when}, headers=headers).json
    channel = add_webhook(redis, "http://hook.lan/")
    before = accounts_of(redis).audit.newest(99)
    export = ada.get("/api/v1/cameras/export?format=yaml").data
    for _ in range(3):
        for path, body in (
            (f"/api/v1/cameras/{camera.id}", {"name": "Gate", "enabled": True}),
            (f"/api/v1/alerts/rules/{rule['id']}", {"name": "R"}),
            (f"/api/v1/alerts/channels/{channel.id}", {"name": channel.name}),
        ):
            assert ada.patch(path, json=body, headers=headers).status_code == 200
        form = {"role_everywhere": "viewer", "enabled": "y"}
        assert post(ada, f"/settings/users/{grace.id}", **form).status_code == 302
        imported = ada.post("/api/v1/cameras/import?format=yaml", data=export, headers=headers)
        assert imported.json["counts"]["unchanged"] == 1
    assert accounts_of(redis).audit.newest(99) == before
    both = {"name": "Gate A", "enabled": True}
    ada.patch(f"/api/v1/cameras/{camera.id}", json=both, headers=headers)
    [entry] = accounts_of(redis).audit.newest(1)
    assert entry.subject == "Gate A: name"


def test_nobody_fills_the_log_alone(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bus.stores.accounts.audit.KEPT_OF_ONE", 30)
    monkeypatch.setattr("bus.stores.accounts.audit.KEPT_OF_KIND", 10)
    log = accounts_of(redis).audit
    log.write("Grace", "removed a camera", "Gate")
    log.write("Mallory", "made an account", "Eve")
    for number in range(100):
        log.write("Mallory", "tested a camera's address", str(number))
    kept = log.newest(999)
    assert [e.subject for e in kept] == [str(n) for n in range(99, 89, -1)] + ["Eve", "Gate"]
    for number in range(100):
        log.write("Mallory", f"action {number}")
    kept = log.newest(999)
    assert [e.action for e in kept if e.who == "Mallory"] == [
        f"action {number}" for number in range(99, 69, -1)
    ]
    assert [e.subject for e in kept if e.who == "Grace"] == ["Gate"]


def test_a_name_tells_nothing_of_a_camera_out_of_sight(app: Flask, redis: Redis) -> None:
    add_camera(redis, "Vault", group="T1")
    WebcamStore(redis).start("user:somebody", "Ada")
    [webcam] = WebcamStore(redis).all()
    client = key_client(app, redis, "operator", "T2")
    everywhere = key_client(app, redis)
    body = {"source": "demo:", "group": "T2"}
    made = client.post("/api/v1/cameras", json={**body, "name": "Vault"})
    assert made.status_code == 201
    other = client.post("/api/v1/cameras", json={**body, "name": "Other"}).json
    again = client.patch(f"/api/v1/cameras/{other['id']}", json={"name": "vault"})
    assert (again.status_code, again.json["error"]) == (409, "name_taken")
    row = f"name,source,group\nVault,demo:,T2\n{webcam.name},demo:,T2\n"
    imported = client.post("/api/v1/cameras/import?format=csv", data=row)
    assert [one["outcome"] for one in imported.json["cameras"]] == ["unchanged", "added"]
    plain = everywhere.post("/api/v1/cameras", json={"name": webcam.name, "source": "demo:"})
    assert plain.status_code == 201
    ambiguous = everywhere.post(
        "/api/v1/cameras/import?format=csv", data="name,source\nVault,demo:\n"
    )
    assert "several cameras" in ambiguous.json["detail"]
    metrics = everywhere.get("/metrics").text
    for label in ("Vault", "Vault (T2)"):
        assert metrics.count(f'maskwatch_camera_up{{camera="{label}"}}') == 1
    when = {"kind": "offline", "for_s": 60, "clear_s": 30}
    rules = "/api/v1/alerts/rules"
    assert (
        everywhere.post(rules, json={"name": "R", "when": when, "group": "T1"}).status_code == 201
    )
    assert client.post(rules, json={"name": "R", "when": when, "group": "T2"}).status_code == 201
    taken = client.post(rules, json={"name": "r", "when": when, "group": "T2"})
    assert taken.status_code == 422


def test_cameras_of_one_name_have_labels_of_their_own() -> None:
    fields = {"source": "demo:", "created_at_s": 1.0}
    named = [("a", "Gate", "T1"), ("b", "Gate", "T2"), ("c", "Gate (T2)", "T3"), ("d", "Gate", "")]
    cameras = [Camera(id=id_, name=name, group=group, **fields) for id_, name, group in named]
    assert camera_labels(cameras) == {
        "a": "Gate",
        "b": "Gate (T2)",
        "c": "Gate (T2) (T3)",
        "d": "Gate (no group)",
    }
