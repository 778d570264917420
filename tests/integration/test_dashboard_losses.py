"""Nothing that counts goes by one click: every removal names what is lost, and waits for a yes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from flask import Flask
from redis import Redis

from bus.bus import Bus
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.audits import AuditStore
from bus.stores.recordings import RecordingStore
from contract.accounts.grants import Role
from contract.alerts.report_schedules import make_schedule
from contract.people.audits import Audit, Judgement
from tests.accounts import accounts_of, csrf_token, make_app, make_user, sign_in
from tests.alerts import add_email, add_rule, add_webhook, channels_of
from tests.builders import add_camera, count_people
from tests.integration.test_dashboard_alerts import open_one
from tests.secret_key import cameras_of


@dataclass(frozen=True)
class Case:
    """Something that can be removed."""

    path: str
    there: Callable[[], bool]
    named: tuple[str, ...]
    """What the page says that is lost."""


def _rule(redis: Redis, folder: Any) -> Case:
    add_camera(redis, "Gate")
    hook = add_webhook(redis, "http://hook.lan/")
    open_one(redis, name="Away", channels=(hook.id,))
    [rule] = AlertRuleStore(redis).all()
    named = ("1 open alert, closed at once: Gate", "1 channel", "Away")
    return Case(f"/alerts/rules/{rule.id}/remove", lambda: bool(AlertRuleStore(redis).all()), named)


def _channel(redis: Redis, folder: Any) -> Case:
    hook = add_webhook(redis, "http://hook.lan/")
    add_rule(redis, name="Masks", channels=(hook.id,))
    path = f"/alerts/channels/{hook.id}/remove"
    named = ("1 rule: Masks", "hook.lan")
    return Case(path, lambda: bool(channels_of(redis).all()), named)


def _secret(redis: Redis, folder: Any) -> Case:
    hook = add_webhook(redis, "http://hook.lan/")

    def there() -> bool:
        return channels_of(redis).all()[0].secret == hook.secret  # type: ignore[union-attr]

    return Case(f"/alerts/channels/{hook.id}/secret", there, ("current secret",))


def _user(redis: Redis, folder: Any) -> Case:
    grants: dict[str, Role] = {"*": "viewer"}
    grace = make_user(redis, "Grace", **grants)
    users = accounts_of(redis).users
    path = f"/settings/users/{grace.id}/remove"
    return Case(path, lambda: users.get(grace.id) is not None, ("Grace", "viewer"))


def _key(redis: Redis, folder: Any) -> Case:
    keys = accounts_of(redis).api_keys
    key, _ = keys.add("Prometheus", {}, 30.0, made_by="Ada", metrics=True)
    path = f"/settings/keys/{key.id}/remove"
    return Case(path, lambda: bool(keys.all()), ("Prometheus", "never been used"))


def _camera(redis: Redis, folder: Any) -> Case:
    gate = add_camera(redis, "Gate")
    count_people(redis, gate.id, mask=1200, no_mask=34)
    add_rule(redis, "offline", "At the gate", camera_id=gate.id)
    named = ("1,234 people counted", "1 alert rule: At the gate")
    return Case(f"/cameras/{gate.id}/remove", lambda: bool(cameras_of(redis).all()), named)


def _recording(redis: Redis, folder: Any) -> Case:
    store = RecordingStore(redis, folder, 600)
    ada = accounts_of(redis).users.find("Ada")
    assert ada is not None
    made = store.create(f"user:{ada.id}", "hall.mp4")
    path = f"/try/recordings/{made.id}/remove"
    return Case(path, lambda: store.get(made.id) is not None, ("hall.mp4",))


def _audit(redis: Redis, folder: Any) -> Case:
    gate, store = add_camera(redis, "Gate"), AuditStore(redis)
    now_s = time.time()
    made = Audit("a1", "Gate", (gate.id,), 60, {"mask": 1.0}, "Ada", now_s, now_s + 600)
    store.start(made)
    store.judge(made, Judgement("p1", "Ada", "mask", now_s), done=True)
    return Case("/audits/a1/remove", lambda: bool(store.all()), ("Gate", "1 answer of judges"))


def _schedule(redis: Redis, folder: Any) -> Case:
    schedules = Bus(redis).report_schedules
    mail = add_email(redis, 25)
    made = make_schedule(name="Weekly", channel_id=mail.id, to=("grace@example.org",))
    schedules.add(made)
    path = f"/reports/schedules/{made.id}/remove"
    return Case(path, lambda: bool(schedules.all()), ("Weekly", "grace@example.org"))


CASES: Final[dict[str, Callable[[Redis, Any], Case]]] = {
    "alert_pages.remove": _rule,
    "channel_pages.remove": _channel,
    "channel_pages.secret": _secret,
    "administration.remove_user": _user,
    "administration.remove_api_key": _key,
    "pages.remove": _camera,
    "try_pages.remove": _recording,
    "audit_pages.remove": _audit,
    "schedule_pages.remove": _schedule,
}


def test_every_form_that_removes_something_is_among_these(redis: Redis) -> None:
    rules = make_app(redis).url_map.iter_rules()
    removing = {
        r.endpoint for r in rules if "POST" in (r.methods or ()) and r.rule.endswith("/remove")
    }
    assert removing == set(CASES) - {"channel_pages.secret"}


@pytest.mark.parametrize("endpoint", CASES)
def test_a_removal_names_what_is_lost_and_waits_for_a_yes(
    redis: Redis, tmp_path: Any, endpoint: str
) -> None:
    app: Flask = make_app(redis, recordings_dir=tmp_path)
    make_user(redis)
    browser = app.test_client()
    sign_in(browser)
    case = CASES[endpoint](redis, tmp_path)
    token = {"csrf_token": csrf_token(browser)}
    asked = browser.post(case.path, data=token)
    assert asked.status_code == 200
    for words in (*case.named, "cannot be undone", "Keep it"):
        assert words in asked.text
    assert case.there()
    assert browser.post(case.path, data={**token, "confirmed": "yes"}).status_code in {200, 302}
    assert not case.there()
