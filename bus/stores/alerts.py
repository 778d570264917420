"""Stores alerts, and opens or closes one in a single step."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import ValidationError
from redis import Redis

from bus.keys import AlertKeys
from bus.scripts.script import FencedHeader, FencedScript, Header, Script
from contract.alerts.alerts import (
    EVALUATOR_SILENT_S,
    Acknowledgement,
    Alert,
    AlertRecord,
    Change,
)

CLOSED_KEPT: Final = 2000


CLOSED_KEPT_S: Final = 90 * 86400


@dataclass(frozen=True)
class _Commit(FencedHeader):
    script: ClassVar = "commit_alert"

    change: Change
    alert_id: str | None
    """Id of the alert that is opened or closed."""
    delivery_ids: list[str]
    closed_kept: int = CLOSED_KEPT
    closed_kept_s: int = CLOSED_KEPT_S


@dataclass(frozen=True)
class _Acknowledge(Header):
    script: ClassVar = "acknowledge_alert"

    alert_id: str
    acknowledgement: Acknowledgement | None


_log = logging.getLogger(__name__)


class AlertStore:
    """Reads and acknowledges alerts, and writes them for the evaluator."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commit = FencedScript(redis, _Commit)
        self._acknowledge = Script(redis, _Acknowledge)

    def commit(self, token: str, change: Change) -> None:
        """Make a complete change; raise `LeaseLostError` if `token` no longer holds the lock."""
        alert = change.opened or change.closed
        header = _Commit(
            token,
            change=change,
            alert_id=alert.id if alert else None,
            delivery_ids=[delivery.id for delivery in change.deliveries],
        )
        names = (
            AlertKeys.EVALUATOR,
            AlertKeys.WATCHES,
            AlertKeys.OPEN,
            AlertKeys.CURRENT,
            AlertKeys.ACKNOWLEDGED,
            AlertKeys.CLOSED,
            AlertKeys.OUTBOX,
        )
        self._commit(names, header, of="the evaluation of alert rules")

    def watches(self) -> dict[str, bytes]:
        """Return the state of each rule at each camera."""
        raw: Any = self._redis.hgetall(AlertKeys.WATCHES)
        return {name.decode(): state for name, state in raw.items()}

    def open(self) -> list[AlertRecord]:
        """Return open alerts, newest first; an unreadable one is logged and left out."""
        pipeline = self._redis.pipeline(transaction=False)  # a full Redis accepts no transaction
        for key in (AlertKeys.OPEN, AlertKeys.CURRENT, AlertKeys.ACKNOWLEDGED):
            pipeline.hgetall(key)
        raw, current, by = pipeline.execute()
        found = [
            _record(alert, current.get(alert_id), by.get(alert_id))
            for alert_id, alert in ((name, decode_alert(text)) for name, text in raw.items())
            if alert is not None
        ]
        return sorted(found, key=lambda alert: (-alert.opened_at_s, alert.id))

    def closed(self, most: int) -> list[AlertRecord]:
        """Return the last resolved alerts, newest first."""
        raw: Any = self._redis.xrevrange(AlertKeys.CLOSED, count=most)
        found = ((decode_alert(row[b"alert"]), row.get(b"acknowledged")) for _, row in raw)
        return [_record(alert, None, by) for alert, by in found if alert is not None]

    def acknowledge(self, alert_id: str, acknowledgement: Acknowledgement | None) -> bool:
        """Store or, for None, take back an acknowledgement; return whether the alert is open."""
        header = _Acknowledge(alert_id, acknowledgement)
        return bool(self._acknowledge((AlertKeys.OPEN, AlertKeys.ACKNOWLEDGED), header))

    def evaluated(self, now_s: float) -> None:
        """Note that all rules have been evaluated."""
        self._redis.set(AlertKeys.EVALUATED, f"{now_s:.3f}")

    def evaluated_at_s(self) -> float | None:
        """Return when all rules were last evaluated; None before the first time."""
        raw = self._redis.get(AlertKeys.EVALUATED)
        return float(raw) if raw else None

    def evaluator_lives(self) -> bool:
        """Whether a process evaluates the rules."""
        at_s = self.evaluated_at_s()
        return at_s is not None and time.time() - at_s < EVALUATOR_SILENT_S


def decode_alert(raw: bytes) -> Alert | None:
    """Return a stored alert; log an unreadable one and return None."""
    try:
        return Alert.model_validate_json(raw)
    except ValidationError:
        _log.error("an alert in Redis cannot be read and is left out")
        return None


def _record(alert: Alert, current: bytes | None, by: bytes | None) -> AlertRecord:
    try:
        acknowledged = Acknowledgement.model_validate_json(by) if by else None
    except ValidationError:
        _log.error("an acknowledgement in Redis cannot be read and is left out")
        acknowledged = None
    words = current.decode() if current else None
    return AlertRecord(**dict(alert), current_words=words, acknowledged=acknowledged)
