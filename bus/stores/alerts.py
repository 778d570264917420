"""Keeps alerts, and opens or closes one in a single step."""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from pydantic import ValidationError
from redis import Redis

from bus.keys import AlertKeys
from contract.alerts.alerts import EVALUATOR_SILENT_S, Alert, Change
from contract.errors import LeaseLostError

CLOSED_KEPT: Final = 2000


CLOSED_KEPT_S: Final = 90 * 86400


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
