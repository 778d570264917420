"""Alerts that are open or over, and the one step in which an alert opens or closes.

What is remembered of a rule at a camera, the alert, and the messages that go out about it change
together or not at all, and only while whoever changes them holds the evaluator's lock. So a
process that dies leaves an alert neither half open nor forgotten, and one that was paused past
its lock changes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from redis import Redis

from contract.alert_rules import AlertKind
from contract.errors import LeaseLostError
from contract.keys import AlertKeys

CLOSED_KEPT: Final = 2000
CLOSED_KEPT_S: Final = 90 * 86400
EVALUATOR_SILENT_S: Final = 60.0
"""When rules were last evaluated longer ago than this, nobody evaluates them."""

Event = Literal["opened", "closed", "test"]

_COMMIT: Final = """
redis.replicate_commands()
local lock, watches, open, closed, outbox = unpack(KEYS)
local token, watch, state, alert, opened, over, kept, oldest = unpack(ARGV)
if redis.call('GET', lock) ~= token then return 0 end
if state == '' then redis.call('HDEL', watches, watch)
else redis.call('HSET', watches, watch, state) end
if opened ~= '' then redis.call('HSET', open, alert, opened) end
if over ~= '' then
  redis.call('HDEL', open, alert)
  redis.call('XADD', closed, 'MAXLEN', kept, '*', 'alert', over)
  local oldest_ms = (redis.call('TIME')[1] - oldest) * 1000
  redis.call('XTRIM', closed, 'MINID', string.format('%.0f', oldest_ms))
end
for i = 9, #ARGV, 2 do redis.call('HSET', outbox, ARGV[i], ARGV[i + 1]) end
return 1
"""

_log = logging.getLogger(__name__)


class Alert(BaseModel):
    """One alert of one rule at one camera. Names are those of when it opened."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    rule_id: str
    rule: str
    kind: AlertKind
    camera_id: str
    camera: str
    group: str
    opened_at_s: float
    words: str = Field(description="What was found when it opened.")
    closed_at_s: float | None = None
    closed_words: str = Field("", description="Why it closed.")
    channels: tuple[str, ...] = ()


class Delivery(BaseModel):
    """A message that one channel must still get."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Names the message for its receiver: the same however often it is tried."""
    event: Event
    channel_id: str
    alert: Alert | None = None
    """None in a test message."""
    created_at_s: float
    attempts: int = 0

    @property
    def waits_for(self) -> str:
        """The message that must be out of the way before this one; empty for none."""
        if self.alert is None or self.event != "closed":
            return ""
        return delivery_id(self.alert.id, "opened", self.channel_id)


def delivery_id(alert_id: str, event: Event, channel_id: str) -> str:
    """The one message about one transition for one channel."""
    return f"{alert_id}-{event}-{channel_id}"


def deliveries_of(alert: Alert, event: Event, now_s: float) -> list[Delivery]:
    """The messages about a transition of `alert`, one for each of its channels."""
    return [
        Delivery(
            id=delivery_id(alert.id, event, channel_id),
            event=event,
            channel_id=channel_id,
            alert=alert,
            created_at_s=now_s,
        )
        for channel_id in alert.channels
    ]


@dataclass(frozen=True)
class Change:
    """What one step changes of one rule at one camera."""

    watch: str
    """`rule id:camera id`."""
    state: str
    """What is remembered from now on, as JSON; empty: nothing."""
    opened: Alert | None = None
    closed: Alert | None = None
    deliveries: Sequence[Delivery] = ()


class AlertStore:
    """Reads alerts, and writes them for the evaluator."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._commit = redis.register_script(_COMMIT)

    def commit(self, token: str, change: Change) -> None:
        """Make a change whole; raise `LeaseLostError` when `token` is not the lock's any more."""
        alert = change.opened or change.closed
        arguments: list[str | int] = [
            token,
            change.watch,
            change.state,
            alert.id if alert else "",
            change.opened.model_dump_json() if change.opened else "",
            change.closed.model_dump_json() if change.closed else "",
            CLOSED_KEPT,
            CLOSED_KEPT_S,
        ]
        for delivery in change.deliveries:
            arguments += [delivery.id, delivery.model_dump_json()]
        names = (
            AlertKeys.EVALUATOR,
            AlertKeys.WATCHES,
            AlertKeys.OPEN,
            AlertKeys.CLOSED,
            AlertKeys.OUTBOX,
        )
        if not self._commit(keys=names, args=arguments):
            raise LeaseLostError("another process evaluates the alert rules")

    def watches(self) -> dict[str, bytes]:
        """What is remembered of each rule at each camera."""
        raw: Any = self._redis.hgetall(AlertKeys.WATCHES)
        return {name.decode(): state for name, state in raw.items()}

    def open(self) -> list[Alert]:
        """The open alerts, the newest first; one that cannot be read is logged and left out."""
        raw: Any = self._redis.hvals(AlertKeys.OPEN)
        found = [alert for alert in map(decode_alert, raw) if alert is not None]
        return sorted(found, key=lambda alert: (-alert.opened_at_s, alert.id))

    def closed(self, most: int) -> list[Alert]:
        """The last alerts that are over, the newest first."""
        raw: Any = self._redis.xrevrange(AlertKeys.CLOSED, count=most)
        found = (decode_alert(fields[b"alert"]) for _, fields in raw)
        return [alert for alert in found if alert is not None]

    def evaluated(self, now_s: float) -> None:
        """Note that all rules have been evaluated."""
        self._redis.set(AlertKeys.EVALUATED, f"{now_s:.3f}")

    def evaluated_at_s(self) -> float | None:
        """When all rules were last evaluated; None before the first time."""
        raw = self._redis.get(AlertKeys.EVALUATED)
        return float(raw) if raw else None

    def evaluator_lives(self) -> bool:
        """Whether somebody evaluates the rules."""
        at_s = self.evaluated_at_s()
        return at_s is not None and time.time() - at_s < EVALUATOR_SILENT_S


def decode_alert(raw: bytes) -> Alert | None:
    """An alert as it was stored; None, logged, for anything else."""
    try:
        return Alert.model_validate_json(raw)
    except ValidationError:
        _log.error("an alert in Redis cannot be read and is left out")
        return None
