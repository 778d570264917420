"""Alerts on the dashboard: who may what, secrets, the test button, what is shown."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from standardwebhooks import Webhook

from alerts.service import make_evaluator
from bus.bus import Bus
from bus.keys import AlertKeys
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alerts import AlertStore
from contract.accounts.grants import Role
from contract.alerts.alerts import Delivery
from contract.alerts.attempts import Attempt
from dashboard.alerts import channel_api
from dashboard.live.board import make_board
from tests.accounts import accounts_of, csrf_token, key_client, make_app, make_user, sign_in
from tests.alerts import (
    PASSWORD,
    add_email,
    add_rule,
    add_webhook,
    alerts_process,
    channels_of,
)
from tests.builders import add_camera, everything_in
from tests.integration.test_dashboard_metrics import scrape, value
from tests.servers.receiver import receiver

API = "/api/v1/alerts"
OFFLINE = {"kind": "offline", "for_s": 60, "clear_s": 30}


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def as_role(app: Flask, redis: Redis, role: Role, group: str = "*") -> FlaskClient:
    return key_client(app, redis, role, group)


def browser_of(app: Flask, redis: Redis, **grants: Role) -> tuple[FlaskClient, dict[str, str]]:
    """A signed-in browser and its token."""
    client = app.test_client()
    make_user(redis, **grants)
    sign_in(client)
    return client, {"csrf_token": csrf_token(client)}


def open_one(redis: Redis, **fields: Any) -> None:
    """Have the evaluator open an alert at every camera."""
    now_s = time.time()
    add_rule(redis, "offline", **fields)
    for later_s in (0, 10):
        evaluator = make_evaluator(Bus(redis), lambda at_s=now_s + later_s: at_s)
        assert evaluator.step()
        evaluator.leave()


def audited(redis: Redis) -> list[tuple[str, str]]:
    return [(entry.action, entry.subject) for entry in accounts_of(redis).audit.newest(20)]


# --- rules


def test_a_rule_is_made_changed_and_removed(client: FlaskClient, redis: Redis) -> None:
    camera, channel = add_camera(redis, "Gate"), add_webhook(redis, "http://hook.lan/")
    body = {"name": "Gate away", "when": OFFLINE, "camera_id": camera.id, "channels": [channel.id]}
    made = client.post(f"{API}/rules", json=body)
    assert made.status_code == 201
    rule = client.get(made.headers["Location"]).json
    assert rule["when"] == OFFLINE
    assert rule["words"] == "offline for 1 min, until live for 30 s"
    hours = {"days": ["fri"], "begin": "22:00", "end": "06:00", "tz": "Europe/Berlin"}
    changed = client.patch(f"{API}/rules/{rule['id']}", json={"schedule": hours, "enabled": False})
    assert (changed.json["schedule"], changed.json["enabled"]) == (hours, False)
    assert client.get(f"{API}/rules").json["rules"] == [changed.json]
    assert client.delete(f"{API}/rules/{rule['id']}").status_code == 204
    assert client.get(f"{API}/rules/{rule['id']}").status_code == 404
    assert [action for action, _ in audited(redis)] == [
        "removed an alert rule",
        "changed an alert rule",
        "made an alert rule",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"when": OFFLINE}, "name: a rule needs one"),
        ({"name": "x"}, "when: a rule needs one"),
        ({"name": "x", "when": {"kind": "rate", "below": 80}}, "when.below"),
        ({"name": "x", "when": OFFLINE, "channels": ["gone"]}, "no channel has the id 'gone'"),
        ({"name": "x", "when": OFFLINE, "camera_id": "gone"}, "camera_id: no camera has the id"),
        ({"name": "x", "when": OFFLINE, "schedule": {"days": []}}, "at least one day"),
        ({"name": "x", "when": OFFLINE, "color": "red"}, "unknown field color"),
        ({"name": "Taken", "when": OFFLINE}, "another rule already has the name"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_in_plain_words(
    client: FlaskClient, redis: Redis, body: dict[str, Any], words: str
) -> None:
    add_rule(redis, "offline", "taken")
    answer = client.post(f"{API}/rules", json=body)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_alert")
    assert words in answer.json["detail"]


def test_an_operator_of_a_group_makes_rules_for_it_and_for_nothing_else(
    app: Flask, redis: Redis
) -> None:
    here, there = add_camera(redis, "Here", group="T2"), add_camera(redis, "There", group="T1")
    operator = as_role(app, redis, "operator", "T2")

    def make(**about: str) -> int:
        name = f"about {about}"
        return operator.post(
            f"{API}/rules", json={"name": name, "when": OFFLINE, **about}
        ).status_code

    assert make(group="T2") == 201
    assert make(camera_id=here.id) == 201
    assert make(group="T1") == 403
    assert make() == 403
    assert make(camera_id=there.id) == 422  # it does not exist for them
    others = add_rule(redis, "offline", "others", group="T1")
    everyones = add_rule(redis, "offline", "everyone's")
    assert operator.get(f"{API}/rules/{others.id}").status_code == 404
    assert operator.delete(f"{API}/rules/{others.id}").status_code == 404
    assert operator.get(f"{API}/rules/{everyones.id}").json["may_change"] is False
    assert operator.patch(f"{API}/rules/{everyones.id}", json={"enabled": False}).status_code == 403
    [own, _] = [r for r in operator.get(f"{API}/rules").json["rules"] if r["may_change"]]
    moved = operator.patch(f"{API}/rules/{own['id']}", json={"group": "T1", "camera_id": ""})
    assert moved.status_code == 403
    assert AlertRuleStore(redis).get(everyones.id) == everyones


def test_accounts_that_see_a_camera_see_its_alerts_and_deliveries(app: Flask, redis: Redis) -> None:
    add_camera(redis, "Here", group="T2")
    add_camera(redis, "There", group="T1")
    open_one(redis)
    for alert in AlertStore(redis).open():
        note(redis, camera=alert.camera, camera_id=alert.camera_id, group=alert.group)
    note(redis, event="test")

    def seen(client: FlaskClient) -> tuple[list[str], list[str]]:
        alerts = client.get(API).json["alerts"]
        rows = client.get(f"{API}/deliveries").json["deliveries"]
        return [a["camera"] for a in alerts], [row["camera"] for row in rows]

    assert seen(as_role(app, redis, "viewer", "T2")) == (["Here"], ["Here"])
    alerts, rows = seen(as_role(app, redis, "administrator"))
    assert sorted(alerts) == ["Here", "There"]
    assert sorted(rows) == ["", "Here", "There"]
    page = as_role(app, redis, "viewer", "T2").get("/alerts", headers={"Accept": "text/html"})
    assert "Here" in page.text
    assert "There" not in page.text


def note(redis: Redis, **fields: Any) -> None:
    """Write an attempt into the log."""
    given = {"event": "opened", "attempt": 1, "outcome": "delivered", "words": "Taken.", **fields}
    attempt = Attempt(at_s=time.time(), delivery_id="d", channel_id="c", channel="Duty", **given)
    gone = Delivery(id="d", event=attempt.event, channel_id="c", created_at_s=0.0)
    DeliveryStore(redis).settle(gone, attempt)


def test_the_page_says_if_no_process_evaluates_the_rules(client: FlaskClient, redis: Redis) -> None:
    add_rule(redis)
    assert client.get(API).json["evaluated"] is False
    assert "no alerts process is running" in client.get("/alerts").text
    AlertStore(redis).evaluated(time.time())
    assert client.get(API).json["evaluated"] is True
    assert "no alerts process is running" not in client.get("/alerts").text


def test_an_open_alert_is_on_the_wall_and_in_the_metrics(client: FlaskClient, redis: Redis) -> None:
    add_camera(redis, "Gate")
    open_one(redis, name="Away")
    [record] = client.get("/api/v1/cameras").json["cameras"]
    [shown] = record["alerts"]
    assert (shown["kind"], shown["rule"]) == ("offline", "Away")
    assert shown["words"] in make_board(Bus(redis)).json()
    channel = add_webhook(redis, "http://hook.lan/")
    redis.hset(AlertKeys.TOTALS, f"{channel.id}:failed", 3)
    samples = scrape(client)
    assert value(samples, "alerts_open", kind="offline") == 1
    assert value(samples, "alerts_open", kind="rate") == 0
    assert value(samples, "alerts_evaluated_timestamp_seconds") == pytest.approx(
        time.time() + 10, abs=60
    )
    delivered = {"channel": "Control room", "outcome": "failed"}
    assert value(samples, "alert_deliveries_total", **delivered) == 3


# --- channels


def test_a_web_hooks_secret_is_in_one_answer_and_nowhere_else(
    client: FlaskClient, redis: Redis
) -> None:
    body = {"kind": "webhook", "name": "Hook", "url": "https://hooks.lan/services/tok3n"}
    made = client.post(f"{API}/channels", json=body)
    assert made.status_code == 201
    secret, where = made.json["secret"], made.headers["Location"]
    assert secret.startswith("whsec_")
    assert made.json["shown"] == "https://hooks.lan/…"
    renewed = client.post(f"{where}/secret").json["secret"]
    assert renewed != secret
    texts = [client.get(path).text for path in (where, f"{API}/channels", f"{API}/deliveries")]
    for private in (secret, renewed, "tok3n"):
        assert all(private not in text for text in texts)
        assert private.encode() not in everything_in(redis)
    assert channels_of(redis).get(made.json["id"]).secret == renewed  # type: ignore[union-attr]
    assert ("made an alert channel", "Hook: https://hooks.lan/…") in audited(redis)


def test_an_e_mail_channel_keeps_its_password_unless_another_is_given(
    client: FlaskClient, redis: Redis
) -> None:
    channel = add_email(redis, 465, security="tls", user="mw", password=PASSWORD)
    path = f"{API}/channels/{channel.id}"
    shown = client.get(path)
    assert (shown.json["user"], shown.json["to"]) == ("mw", ["duty@example.org"])
    assert PASSWORD not in shown.text
    assert client.patch(path, json={"to": ["boss@example.org"]}).status_code == 200
    assert channels_of(redis).get(channel.id).password == PASSWORD  # type: ignore[union-attr]
    moved = client.patch(path, json={"host": "evil.example.org"})
    assert (moved.status_code, PASSWORD in moved.text) == (422, False)
    assert client.patch(path, json={"secret": "x"}).status_code == 422
    assert client.post(f"{path}/secret").status_code == 422
    assert client.delete(path).status_code == 204


def test_where_a_channel_goes_is_for_administrators(app: Flask, redis: Redis) -> None:
    channel = add_email(redis, 25, user="", name="Duty")
    operator = as_role(app, redis, "operator")
    [seen] = operator.get(f"{API}/channels").json["channels"]
    assert (seen["name"], seen["shown"], seen["to"]) == ("Duty", None, None)
    local = as_role(app, redis, "administrator", "T2")
    for other in (operator, local):
        assert other.delete(f"{API}/channels/{channel.id}").status_code == 403
        assert other.post(f"{API}/channels/{channel.id}/test").status_code == 403
        assert other.post(f"{API}/channels", json={}).status_code == 403


def test_a_channel_that_is_removed_is_taken_out_of_rules(client: FlaskClient, redis: Redis) -> None:
    channel = add_webhook(redis, "http://hook.lan/")
    rule = add_rule(redis, channels=(channel.id,))
    assert client.delete(f"{API}/channels/{channel.id}").status_code == 204
    kept = AlertRuleStore(redis).get(rule.id)
    assert kept is not None
    assert kept.channels == ()


def test_a_test_message_goes_the_way_of_alerts_and_says_what_came_of_it(
    client: FlaskClient, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    with receiver(200, 500) as server, alerts_process(redis_url, tmp_path / "log"):
        channel = add_webhook(redis, f"{server.url}/hook")
        path = f"{API}/channels/{channel.id}/test"
        good, bad = client.post(path), client.post(path)
    assert (good.status_code, good.json["outcome"]) == (200, "delivered")
    assert Webhook(channel.secret).verify(server.got[0].body, server.got[0].headers)["type"] == (
        "alert.test"
    )
    assert (bad.json["outcome"], bad.json["words"]) == (
        "given_up",
        "Not delivered: the receiver answered 500.",
    )
    rows = client.get(f"{API}/deliveries").json["deliveries"]
    assert [row["outcome"] for row in rows] == ["given_up", "delivered"]
    assert DeliveryStore(redis).waiting() == {}


def test_a_test_that_nobody_takes_says_so(
    client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_api, "TEST_WAIT_S", 0.1)
    channel = add_webhook(redis, "http://127.0.0.1:9/")
    answer = client.post(f"{API}/channels/{channel.id}/test")
    assert (answer.status_code, answer.json["outcome"]) == (202, "waiting")
    assert "maskwatch alerts" in answer.json["words"]


# --- acknowledgements


def test_operators_of_a_camera_acknowledge_its_alert_and_take_it_back(
    app: Flask, redis: Redis
) -> None:
    add_camera(redis, "Gate", group="T2")
    open_one(redis)
    viewer, elsewhere = as_role(app, redis, "viewer"), as_role(app, redis, "operator", "T1")
    operator = as_role(app, redis, "operator", "T2")
    [alert] = viewer.get(API).json["alerts"]
    assert (alert["acknowledged"], alert["current_words"]) == (None, None)
    path = f"{API}/{alert['id']}/acknowledgement"
    assert [one.put(path).status_code for one in (viewer, elsewhere, operator)] == [403, 404, 200]
    [alert] = viewer.get(API).json["alerts"]
    assert alert["acknowledged"]["by"] == operator.put(path).json["by"]
    assert [one.delete(path).status_code for one in (viewer, elsewhere)] == [403, 404]
    assert operator.delete(path).status_code == 204
    assert viewer.get(API).json["alerts"][0]["acknowledged"] is None
    assert ("acknowledged an alert", "Rule at Gate") in audited(redis)
    assert ("withdrew an acknowledgement", "Rule at Gate") in audited(redis)
    assert operator.put(f"{API}/gone/acknowledgement").status_code == 404


def test_an_alert_is_acknowledged_on_the_page(app: Flask, redis: Redis) -> None:
    add_camera(redis, "Gate")
    open_one(redis)
    browser, token = browser_of(app, redis)
    [alert] = AlertStore(redis).open()
    assert browser.post(f"/alerts/{alert.id}/acknowledge", data=token).status_code == 302
    part = browser.get("/alerts?part=open").text
    assert f'action="/alerts/{alert.id}/withdraw"' in part
    assert 'data-label="Acknowledged">Ada, ' in part
    assert 'data-part="badge"' not in browser.get("/wall").text
    assert browser.post(f"/alerts/{alert.id}/withdraw", data=token).status_code == 302
    assert 'data-part="badge">1<' in browser.get("/wall").text
    assert browser.post("/alerts/gone/acknowledge", data=token).status_code == 302
    assert "That alert has been resolved." in browser.get("/alerts").text


# --- pages


def test_a_channel_and_a_rule_are_made_on_the_pages(app: Flask, redis: Redis) -> None:
    add_camera(redis, "Gate", group="T2")
    browser, token = browser_of(app, redis)
    form = {"name": "Hook", "url": "https://hooks.lan/tok3n", **token}
    made = browser.post("/alerts/channels/new?kind=webhook", data=form)
    secret = re.search(r'value="(whsec_[^"]+)"', made.text)
    assert secret
    [channel] = channels_of(redis).all()
    again = (
        browser.get("/alerts/channels").text + browser.get(f"/alerts/channels/{channel.id}").text
    )
    assert "https://hooks.lan/…" in again
    assert secret[1] not in again
    assert "tok3n" not in again
    hours = {"only_at": "y", "days": ["sat", "sun"], "begin": "22:00", "end": "06:00", "tz": "UTC"}
    rate = {"below": "80", "minutes": "15", "people": "20", "margin": "5"}
    form = {"name": "Low", "scope": "group:T2", "cool_down_minutes": "30", "enabled": "y"}
    given = {**form, **rate, **hours, "channels": [channel.id], **token}
    assert browser.post("/alerts/rules/new?kind=rate", data=given).status_code == 302
    [rule] = AlertRuleStore(redis).all()
    assert (rule.group, rule.channels, rule.cool_down_minutes) == ("T2", (channel.id,), 30)
    assert rule.when.model_dump() == {
        "kind": "rate",
        "below": 0.8,
        "minutes": 15,
        "people": 20,
        "margin": 0.05,
    }
    assert rule.schedule is not None
    assert rule.schedule.words() == "sat, sun, 22:00 to 06:00, UTC"
    page = browser.get(f"/alerts/rules/{rule.id}").text
    assert 'value="80"' in page
    same = browser.post(f"/alerts/rules/{rule.id}", data={**given, "below": "75"})
    assert same.status_code == 302
    assert AlertRuleStore(redis).all()[0].when.model_dump()["below"] == 0.75
    browser.post(f"/alerts/rules/{rule.id}/remove", data={**token, "confirmed": "yes"})
    assert AlertRuleStore(redis).all() == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"below": "0"}, "Number must be between"),
        ({"below": "98", "margin": "5"}, "the alert could never close"),
        ({"people": "many"}, "Not a valid integer"),
        ({"only_at": "y", "tz": "Mars", "days": ["mon"]}, "expected an IANA time zone"),
        ({"only_at": "y", "days": []}, "expected at least one day"),
        ({"scope": "group:Elsewhere"}, "Not a valid choice"),
    ],
)
def test_a_form_that_cannot_be_used_says_why_and_keeps_what_was_typed(
    app: Flask, redis: Redis, changed: dict[str, Any], words: str
) -> None:
    browser, token = browser_of(app, redis)
    form = {"name": "Low at gates", "scope": "all", "cool_down_minutes": "15", **token}
    rate = {"below": "80", "minutes": "15", "people": "20", "margin": "5"}
    hours = {"begin": "06:00", "end": "22:00", "tz": "UTC"}
    answer = browser.post("/alerts/rules/new?kind=rate", data={**form, **rate, **hours, **changed})
    assert answer.status_code == 422
    assert words in answer.text
    assert "Low at gates" in answer.text
    assert AlertRuleStore(redis).all() == []


def test_pages_change_nothing_without_the_token_and_show_channels_to_administrators_only(
    app: Flask, redis: Redis
) -> None:
    channel = add_webhook(redis, "http://hook.lan/")
    browser, token = browser_of(app, redis, **{"*": "operator"})
    assert browser.get("/alerts/channels").status_code == 403
    assert browser.post(f"/alerts/channels/{channel.id}/remove", data=token).status_code == 403
    assert "/alerts/channels" not in browser.get("/alerts").text
    rule = add_rule(redis)
    assert browser.post(f"/alerts/rules/{rule.id}/remove").status_code == 400
    assert AlertRuleStore(redis).get(rule.id) is not None
    viewer = as_role(app, redis, "viewer")
    page = viewer.get("/alerts/rules").text
    assert rule.name in page
    assert "Remove" not in page
