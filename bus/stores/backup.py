"""Reads and writes the records of a backup, in the form in which Redis stores them."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict
from redis import Redis

from bus import keys
from bus.keys import AlertKeys, CameraKeys
from bus.stores.cameras import revision_step
from bus.stores.history import DAY_S, forget_history
from contract.people.minutes import LONGEST_HISTORY_DAYS

Kind = Literal["channels", "rules", "reports", "users", "api_keys", "cameras"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""Kinds of records, in the order in which they are restored."""

_HASHES: Final[Mapping[Kind, str]] = {
    "channels": AlertKeys.CHANNELS,
    "rules": AlertKeys.RULES,
    "reports": AlertKeys.REPORTS,
    "users": keys.USERS,
    "api_keys": keys.API_KEYS,
    "cameras": keys.CAMERAS,
}
_Hash = dict[str, str]


class Counts(BaseModel):
    """The counts of one camera, and the state from which its next worker continues."""

    model_config = ConfigDict(extra="forbid")

    totals: _Hash = {}
    minutes: _Hash = {}
    days: dict[int, str] = {}
    """Packed days in base 64, by number."""
    people: list[tuple[str, str]] = []
    """Rows with their ids."""
    condition: _Hash = {}
    position: str = ""
    tracker: str = ""
    latest: str = ""


class BackupStore:
    """Records by kind and id, and cameras' counts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def records(self, kind: Kind) -> dict[str, str]:
        """Return all records of a kind by id, as stored."""
        return _texts(self._redis.hgetall(_HASHES[kind]))

    def write_record(self, kind: Kind, record_id: str, raw: str) -> None:
        """Store a record as `records` returned it."""
        self._redis.hset(_HASHES[kind], record_id, raw)

    def announce(self) -> None:
        """Make every process read the cameras again."""
        self._redis.incrby(keys.CAMERAS_REVISION, revision_step())

    def counts(self, camera_id: str) -> Counts:
        """Read a camera's counts in one step."""
        names = CameraKeys(camera_id)
        today = int(time.time() // DAY_S)
        days = range(today - LONGEST_HISTORY_DAYS, today + 2)
        with self._redis.pipeline(transaction=True) as pipeline:
            for hash_name in (names.totals, names.minutes, names.condition):
                pipeline.hgetall(hash_name)
            pipeline.mget(names.position, names.tracker, names.latest)
            pipeline.xrange(names.people)
            pipeline.mget([names.day(day) for day in days])
            answer: list[Any] = pipeline.execute()
        totals, minutes, condition, (position, tracker, latest), people, packed = answer
        return Counts(
            totals=_texts(totals),
            minutes=_texts(minutes),
            condition=_texts(condition),
            position=(position or b"").decode(),
            tracker=(tracker or b"").decode(),
            latest=(latest or b"").decode(),
            people=[(row.decode(), fields[b"person"].decode()) for row, fields in people],
            days={
                day: base64.b64encode(blob).decode()
                for day, blob in zip(days, packed, strict=True)
                if blob
            },
        )

    def write_counts(self, camera_id: str, counts: Counts, history_days: int) -> None:
        """Replace a camera's counts; leases and their fence stay."""
        names = CameraKeys(camera_id)
        forget_history(self._redis, camera_id, time.time())
        position = self._newer_than_any(names, counts.position)
        with self._redis.pipeline(transaction=True) as pipeline:
            for name, fields in (
                (names.totals, counts.totals),
                (names.minutes, counts.minutes),
                (names.condition, counts.condition),
            ):
                pipeline.delete(name)
                if fields:
                    pipeline.hset(name, mapping=dict[Any, Any](fields))
            for name, text in (
                (names.position, position),
                (names.tracker, counts.tracker),
                (names.latest, counts.latest),
            ):
                pipeline.delete(name)
                if text:
                    pipeline.set(name, text)
            # The waiting frames belong to another numbering.
            pipeline.delete(names.frames, names.view, names.people)
            for row_id, person in counts.people:
                pipeline.xadd(names.people, {"person": person}, id=row_id)
            for day, blob in _days(counts, history_days):
                pipeline.set(names.day(day), blob, exat=(day + 1 + history_days) * DAY_S)
            pipeline.execute()

    def _newer_than_any(self, names: CameraKeys, position: str) -> str:
        """Return the position with a commit number above every worker's, to refuse theirs."""
        there: Any = self._redis.get(names.position)
        commits = max(_commits((there or b"").decode()), _commits(position)) + 1
        return f"{position.partition(' ')[0] or 0} {commits}"


def _commits(position: str) -> int:
    commits = position.partition(" ")[2]
    return int(commits) if commits.isdigit() else 0


def _days(counts: Counts, history_days: int) -> Iterator[tuple[int, bytes]]:
    oldest = time.time() // DAY_S - history_days
    for day, encoded in counts.days.items():
        if day >= oldest:
            yield day, base64.b64decode(encoded)


def _texts(found: Any) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in found.items()}
