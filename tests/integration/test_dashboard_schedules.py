"""Schedules of reports on their pages and in the API: who may do what, and what is shown."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from alerts.delivery import make_postman
from bus.bus import Bus
from contract.errors import ChannelError
from dashboard.reports import schedule_api
from tests.accounts import key_client, make_app
from tests.alerts import add_email, add_webhook
from tests.builders import add_camera
from tests.integration.test_dashboard_alerts import browser_of
from tests.integration.test_report_delivery import planner_at, waiting
from tests.secret_key import vault
from tests.servers.http import closed_port

API = "/api/v1/reports/schedules"
TO = ["control@example.org", "management@example.org"]


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def new(redis: Redis, **more: Any) -> dict[str, Any]:
    channel = add_email(redis, closed_port(), name=f"Mail {more}")
    return {"name": "Weekly", "channel_id": channel.id, "to": TO, "tz": "Europe/Berlin", **more}


def test_a_schedule_is_made_changed_planned_and_removed(client: FlaskClient, redis: Redis) -> None:
    made = client.post(API, json=new(redis))
    assert (made.status_code, made.json["version"]) == (201, 1)
    where = made.headers["Location"]
    assert client.get(where).json == client.get(API).json["schedules"][0]
    assert made.json["words"] == "each Monday at 06:00 (Europe/Berlin)"
    assert client.get(API).json["sent"] is False, "no alerts process runs"
    planner_at(redis, made.json["next_due_s"] - 60).step()
    assert len(waiting(redis)) == 1
    changed = client.patch(where, json={"kind": "month", "at": "07:30"}).json
    assert changed["words"] == "on the first day of each month at 07:30 (Europe/Berlin)"
    assert waiting(redis) == []
    assert client.patch(where, json={"enabled": False}).json["next_due_s"] is None
    assert client.delete(where).status_code == 204
    assert client.get(where).status_code == 404
    actions = [entry.action for entry in Bus(redis).audit.newest(10)]
    assert [one for one in actions if "report" in one] == [
        "removed a report's schedule",
        *["changed a report's schedule"] * 2,
        "scheduled a report",
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"channel_id": "gone"}, "channel_id: no e-mail channel"),
        ({"to": ["nobody"]}, "to"),
        ({"tz": "Mars"}, "tz"),
        ({"more": 1}, "unknown field more"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(
    client: FlaskClient, redis: Redis, fields: dict[str, Any], words: str
) -> None:
    answer = client.post(API, json={**new(redis), **fields})
    assert (answer.status_code, words in answer.json["detail"]) == (422, True), answer.text


def test_a_webhook_sends_no_report(client: FlaskClient, redis: Redis) -> None:
    hook = add_webhook(redis, "http://127.0.0.1:9/")
    answer = client.post(API, json={**new(redis), "channel_id": hook.id})
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_alert")


def test_operators_schedule_reports_of_their_group_and_viewers_read_them(
    app: Flask, redis: Redis
) -> None:
    everywhere = key_client(app, redis)
    everywhere.post(API, json=new(redis, name="All"))
    operator = key_client(app, redis, "operator", "T2")
    made = operator.post(API, json=new(redis, name="Own", group="T2"))
    assert made.status_code == 201
    assert operator.post(API, json=new(redis, name="Other", group="T1")).status_code == 403
    assert operator.post(API, json=new(redis, name="Everything")).status_code == 403
    moved = operator.patch(made.headers["Location"], json={"group": ""})
    assert moved.status_code == 403
    assert [one["name"] for one in operator.get(API).json["schedules"]] == ["Own"]
    viewer = key_client(app, redis, "viewer", "T2")
    [seen] = viewer.get(API).json["schedules"]
    assert (seen["name"], seen["may_change"]) == ("Own", False)
    for refused in (
        viewer.patch(made.headers["Location"], json={"at": "07:00"}),
        viewer.delete(made.headers["Location"]),
        viewer.post(f"{made.headers['Location']}/send"),
    ):
        assert refused.status_code == 403


def test_a_failed_report_is_shown_on_the_page_and_in_the_log(
    app: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule_api, "SEND_WAIT_S", 0.0)
    browser, token = browser_of(app, redis)
    add_camera(redis, "Gate")
    channel = add_email(redis, closed_port())
    fields = {"name": "Weekly", "scope": "all", "kind": "week", "at": "06:00", "tz": "UTC"}
    fields |= {"channel_id": channel.id, "to": ", ".join(TO), "enabled": "y"}
    page = browser.post("/reports/schedules/new", data={**fields, **token}, follow_redirects=True)
    assert "Weekly is scheduled: each Monday at 06:00 (UTC)." in page.text
    assert "not sent yet" in page.text
    assert "No alerts process runs" in page.text
    [schedule] = Bus(redis).report_schedules.all()
    where = f"/reports/schedules/{schedule.id}"
    sent = browser.post(f"{where}/send", data=token, follow_redirects=True)
    assert "No alerts process has taken it yet" in sent.text
    [message] = waiting(redis)
    with pytest.raises(ChannelError):
        make_postman(Bus(redis, vault())).attempt(message.id)
    page = browser.get("/reports/schedules")
    assert "Failed; will be retried" in page.text
    assert "no server listens there" in page.text
    log = browser.get("/alerts/log").text
    assert "Report: Weekly" in log
    asked = browser.post(f"{where}/remove", data=token)
    assert "Remove the report Weekly?" in asked.text
    done = {**token, "confirmed": "yes"}
    assert (
        "Weekly is removed."
        in browser.post(f"{where}/remove", data=done, follow_redirects=True).text
    )


def test_a_wrong_form_keeps_what_was_typed(app: Flask, redis: Redis) -> None:
    browser, token = browser_of(app, redis)
    channel = add_email(redis, closed_port())
    fields = {"name": "Weekly", "scope": "all", "kind": "week", "at": "06:00", "tz": "Mars"}
    fields |= {"channel_id": channel.id, "to": "a@example.org"}
    answer = browser.post("/reports/schedules/new", data={**fields, **token})
    assert answer.status_code == 422
    assert "tz: expected an IANA time zone" in answer.text
    assert 'value="Weekly"' in answer.text
