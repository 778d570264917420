"""Evaluates every rule at every camera, in one process at a time."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from alerts.conditions import Reading, Watch, advance
from alerts.readings import Readings
from bus.stores.alert_deliveries import DeliveryStore
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.alert_turn import AlertTurn
from bus.stores.alerts import AlertStore
from bus.stores.cameras import CameraRoster
from contract.alerts.alerts import Alert, AlertRecord, Change, deliveries_of
from contract.alerts.rules import AlertRule
from contract.cameras.camera import Camera
from contract.errors import LeaseLostError
from runtime.logs import about

_log = logging.getLogger(__name__)


class Evaluator:
    """Evaluates rules while this process has the turn. Call `step` every few seconds."""

    def __init__(
        self,
        turn: AlertTurn,
        roster: CameraRoster,
        rules: AlertRuleStore,
        alerts: AlertStore,
        deliveries: DeliveryStore,
        readings: Readings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._turn = turn
        self._roster = roster
        self._rules = rules
        self._alerts = alerts
        self._deliveries = deliveries
        self._readings = readings
        self._clock = clock

    def step(self) -> bool:
        """Evaluate all rules if this process has the turn; return whether. Raises `StoreError`."""
        if not self._turn.take():
            return False
        try:
            self._evaluate(self._clock())
        except LeaseLostError:
            _log.warning("another process evaluates the alert rules now")
            return False
        return True

    def leave(self) -> None:
        """Let another process take over at once."""
        self._turn.leave()

    def _evaluate(self, now_s: float) -> None:
        cameras = {c.id: c for c in self._roster.cameras()}
        rules = {rule.id: rule for rule in self._rules.all()}
        looked_at_s, watches = self._alerts.evaluated_at_s(), self._alerts.watches()
        open_alerts = {alert.id: alert for alert in self._alerts.open()}
        seen = [camera for camera in cameras.values() if not camera.owner]
        self._readings.look(seen, rules.values(), now_s)
        watched = set()
        for rule in rules.values():
            self._turn.keep()  # many rules may take longer than a turn lasts
            for camera in cameras.values():
                if rule.enabled and camera.enabled and rule.concerns(camera):
                    name = f"{rule.id}:{camera.id}"
                    watched.add(name)
                    before = _decode(watches.get(name))
                    self._look_at(rule, camera, before, open_alerts, now_s, looked_at_s)
        unreadable = self._rules.ids() - rules.keys()
        for name in watches.keys() - watched:
            if name.partition(":")[0] in unreadable:
                continue  # another version wrote this rule; keep its state
            alert = open_alerts.get(_decode(watches[name]).alert_id)
            self._drop(name, alert, _why(name, rules, cameras), now_s)
        self._alerts.evaluated(now_s)
        self._deliveries.requeue(now_s)

    def _look_at(
        self,
        rule: AlertRule,
        camera: Camera,
        before: Watch,
        open_alerts: Mapping[str, AlertRecord],
        now_s: float,
        looked_at_s: float | None,
    ) -> None:
        name = f"{rule.id}:{camera.id}"
        reading = self._readings.of(rule, camera, now_s)
        after, transition = advance(rule, before, reading, now_s, looked_at_s)
        if transition == "open":
            alert = _opened(rule, camera, reading, now_s)
            after = after.model_copy(update={"alert_id": alert.id, "opened_at_s": now_s})
            messages = deliveries_of(alert, "opened", now_s)
            self._commit(Change(name, after.model_dump_json(), opened=alert, deliveries=messages))
            extra = about(camera, rule=rule.name, event="alert_opened")
            words = "alert opened: %s at %s: %s"
            _log.info(words, rule.name, camera.name, reading.words, extra=extra)
        elif transition == "close":
            after = after.model_copy(update={"alert_id": ""})
            closed = _closed(open_alerts.get(before.alert_id), reading.words, now_s)
            messages = deliveries_of(closed, "closed", now_s) if closed else []
            self._commit(Change(name, after.model_dump_json(), closed=closed, deliveries=messages))
            extra = about(camera, rule=rule.name, event="alert_closed")
            _log.info("alert closed: %s at %s", rule.name, camera.name, extra=extra)
        else:
            alert_id = before.alert_id or None
            current = _news(open_alerts.get(before.alert_id), reading)
            if after != before or current:
                state = after.model_dump_json()
                self._commit(Change(name, state, current=current, current_of=alert_id))

    def _drop(self, name: str, alert: AlertRecord | None, why: str, now_s: float) -> None:
        """Forget a rule at a camera it no longer watches, and close its open alert."""
        closed = _closed(alert, why, now_s)
        messages = deliveries_of(closed, "closed", now_s) if closed else []
        self._commit(Change(name, "", closed=closed, deliveries=messages))

    def _commit(self, change: Change) -> None:
        self._alerts.commit(self._turn.token, change)


def _opened(rule: AlertRule, camera: Camera, reading: Reading, now_s: float) -> Alert:
    return Alert(
        id=secrets.token_hex(8),
        rule_id=rule.id,
        rule=rule.name,
        kind=rule.when.kind,
        camera_id=camera.id,
        camera=camera.name,
        group=camera.group,
        opened_at_s=now_s,
        words=reading.words,
        channels=rule.channels,
    )


def _news(alert: AlertRecord | None, reading: Reading) -> str | None:
    """Return the words of the reading of an open alert, if they say something new."""
    if alert is None or reading.words == (alert.current_words or alert.words):
        return None
    return reading.words


def _closed(alert: AlertRecord | None, words: str, now_s: float) -> Alert | None:
    if alert is None:
        return None
    closed = alert.model_copy(update={"closed_at_s": now_s, "closed_words": words})
    return Alert.model_validate(closed.model_dump())


def _why(name: str, rules: Mapping[str, AlertRule], cameras: Mapping[str, Camera]) -> str:
    rule_id, _, camera_id = name.partition(":")
    rule, camera = rules.get(rule_id), cameras.get(camera_id)
    if rule is None:
        return "The rule was removed."
    if not rule.enabled:
        return "The rule was switched off."
    if camera is None:
        return "The camera was removed."
    if not camera.enabled:
        return "The camera was switched off."
    return "The rule no longer covers this camera."


def _decode(raw: bytes | None) -> Watch:
    try:
        return Watch.model_validate_json(raw) if raw else Watch()
    except ValidationError:
        _log.error("the stored state of an alert rule cannot be read; the rule starts afresh")
        return Watch()
