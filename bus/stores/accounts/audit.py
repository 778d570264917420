"""The audit log: a stream in Redis with the newest entries.

One account cannot fill it alone. Beyond `KEPT_OF_ONE` entries of one account, or `KEPT_OF_KIND` of
one action, only that account's oldest entries are removed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from redis import Redis

from bus import keys
from bus.stores.accounts.tokens import digest

KEPT: Final = 20_000
KEPT_OF_ONE: Final = KEPT // 4
KEPT_OF_KIND: Final = KEPT // 10
INDEX_KEPT_S: Final = 400 * 86400
"""Seconds after an account's last entry for which we remember which entries are its own."""
WATCHED_AGAIN_S: Final = 600
"""Seconds after which watching the same camera adds another entry."""
LONGEST_TEXT: Final = 300
READ_AT_ONCE: Final = 1000


@dataclass(frozen=True)
class AuditEntry:
    """One action of an account."""

    id: str
    at_s: float
    who: str
    """The account's or key's name at that time."""
    action: str
    subject: str
    """The object of the action: a camera's, account's or key's name. Never a secret."""
    address: str


@dataclass(frozen=True)
class Wanted:
    """A filter of entries; None matches any."""

    who: str | None = None
    action: str | None = None
    from_s: float | None = None
    to_s: float | None = None
    """Seconds since the epoch, half-open."""

    def takes(self, entry: AuditEntry) -> bool:
        """Whether the filter matches the entry."""
        return (
            self.who in {None, entry.who}
            and self.action in {None, entry.action}
            and (self.from_s is None or self.from_s <= entry.at_s)
            and (self.to_s is None or entry.at_s < self.to_s)
        )


EVERYTHING: Final = Wanted()


class AuditLog:
    """Writes and reads the log."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def write(self, who: str, action: str, subject: str = "", address: str = "") -> None:
        """Note that `who` did `action`."""
        fields: dict[Any, Any] = {
            "at": f"{time.time():.3f}",
            "who": who[:LONGEST_TEXT],
            "action": action[:LONGEST_TEXT],
            "subject": subject[:LONGEST_TEXT],
            "address": address[:64],
        }
        entry_id: Any = self._redis.xadd(keys.AUDIT, fields, maxlen=KEPT, approximate=True)
        self._bound(entry_id.decode(), fields["who"], fields["action"])

    def _bound(self, entry_id: str, who: str, action: str) -> None:
        """Remove the oldest entries of an account that has more than its share."""
        shares = {
            keys.audit_of(digest(who)): KEPT_OF_ONE,
            keys.audit_of(digest(f"{who}\n{action}")): KEPT_OF_KIND,
        }
        with self._redis.pipeline(transaction=False) as pipeline:
            for index, most in shares.items():
                pipeline.zadd(index, {entry_id: float(entry_id.partition("-")[0])})
                pipeline.expire(index, INDEX_KEPT_S)
                pipeline.zrange(index, 0, -(most + 1))
            answers: Any = pipeline.execute()
        surplus = {one for found in answers[2::3] for one in found}
        if surplus:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.xdel(keys.AUDIT, *surplus)
                for index in shares:
                    pipeline.zrem(index, *surplus)
                pipeline.execute()

    def newest(self, count: int, end: str = "+", wanted: Wanted = EVERYTHING) -> list[AuditEntry]:
        """Return up to `count` matching entries, newest first; `end` as for XREVRANGE."""
        found = (entry for entry in self._backwards(count, end) if wanted.takes(entry))
        return list(islice(found, count))

    def _backwards(self, count: int, end: str) -> Iterator[AuditEntry]:
        """Yield all entries, newest first, read in parts; the first part has `count` entries."""
        part = count
        while True:
            raw: Any = self._redis.xrevrange(keys.AUDIT, max=end, count=part)
            yield from (_decode(entry_id, fields) for entry_id, fields in raw)
            if len(raw) < part:
                return
            end, part = f"({raw[-1][0].decode()}", READ_AT_ONCE

    def first_time(self, who: str, camera_id: str) -> bool:
        """Whether this is a new viewing of the camera by `who`; remembers it."""
        name = f"{keys.AUDIT}:watched:{who}:{camera_id}"
        return bool(self._redis.set(name, 1, ex=WATCHED_AGAIN_S, nx=True))


def _decode(entry_id: bytes, fields: dict[bytes, bytes]) -> AuditEntry:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode(errors="replace")

    return AuditEntry(
        entry_id.decode(),
        float(text(b"at") or 0),
        text(b"who"),
        text(b"action"),
        text(b"subject"),
        text(b"address"),
    )
