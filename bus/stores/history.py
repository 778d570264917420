"""Each camera's minutes in Redis: new ones in a hash, older ones packed into a string per day.

A minute's amounts are always the sum of both, so it does not matter when or how often the open
ones are packed, and late amounts (a person last seen before a long outage) simply open their
minute again. Packed days expire.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import numpy as np
from redis import Redis
from redis.exceptions import OutOfMemoryError

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.scripts.script import FencedHeader, FencedScript
from bus.stores.packed_days import Minutes, pack_day, unpack_day
from contract.people.minutes import (
    DAY_MINUTES,
    HISTORY_DAYS,
    LONGEST_HISTORY_DAYS,
    MINUTE_S,
    minute_of,
    open_field,
    parse_open_field,
)

DAY_S: Final = DAY_MINUTES * MINUTE_S
PACK_ABOVE_FIELDS: Final = 300
"""Open amounts of a camera above which they are packed, about two hours' worth. It is below the 512
(`hash-max-ziplist-entries`) up to which Redis stores a hash compactly."""
READ_AT_ONCE: Final = 256

Amounts = Mapping[tuple[int, str], int]


@dataclass(frozen=True)
class _Pack(FencedHeader):
    script: ClassVar = "pack_minutes"

    amounts: list[tuple[str, int]]
    """Open fields and amounts that move into the day."""
    expires_at_s: int


class HistoryStore:
    """Packs and reads the minutes of cameras."""

    def __init__(self, redis: Redis, history_days: int = HISTORY_DAYS) -> None:
        self._redis = redis
        self._history_s = history_days * DAY_S
        self._pack = FencedScript(redis, _Pack)

    def pack_if_grown(self, lease: Lease, above_fields: int = PACK_ABOVE_FIELDS) -> bool:
        """Pack the camera's open minutes once there are many; return whether it was done.

        Raises:
            LeaseLostError: another worker has the lease; nothing was changed.
        """
        names = CameraKeys(lease.camera_id)
        if self._redis.hlen(names.minutes) <= above_fields:
            return False
        for day, amounts in _by_day(_open_amounts(self._redis.hgetall(names.minutes))).items():
            self._pack_day(lease, names, day, amounts)
        return True

    def days(
        self, camera_ids: Sequence[str], first_day: int, last_day: int
    ) -> Iterator[tuple[str, int, dict[str, Minutes]]]:
        """Yield camera, day and columns of each day from first to last that has any amount.

        Days are numbered since the epoch in UTC.
        """
        for camera_id in camera_ids:
            yield from self._days_of(camera_id, first_day, last_day)

    def _days_of(
        self, camera_id: str, first_day: int, last_day: int
    ) -> Iterator[tuple[str, int, dict[str, Minutes]]]:
        wanted = range(first_day, last_day + 1)
        try:
            # In one transaction: between two reads a minute could move from one to the other.
            opened, packed = self._read(camera_id, wanted, at_once=True)
        except OutOfMemoryError:
            # A full Redis accepts no transaction, but moves nothing either.
            opened, packed = self._read(camera_id, wanted, at_once=False)
        still_open = _by_day(_open_amounts(opened))
        for day, blob in zip(wanted, packed, strict=True):
            columns = _together(blob, still_open.get(day, {}))
            if columns:
                yield camera_id, day, columns

    def _read(
        self, camera_id: str, days: Sequence[int], at_once: bool
    ) -> tuple[dict[bytes, bytes], list[bytes | None]]:
        """Return a camera's open amounts and packed days; `at_once`: from one moment."""
        names = CameraKeys(camera_id)
        with self._redis.pipeline(transaction=at_once) as pipeline:
            pipeline.hgetall(names.minutes)
            for start in range(0, len(days), READ_AT_ONCE):
                pipeline.mget([names.day(day) for day in days[start : start + READ_AT_ONCE]])
            opened, *chunks = pipeline.execute()
        return opened, [day for chunk in chunks for day in chunk]

    def _pack_day(self, lease: Lease, names: CameraKeys, day: int, amounts: Amounts) -> None:
        blob = cast("bytes | None", self._redis.get(names.day(day)))
        packed = pack_day(_together(blob, amounts))
        header = _Pack(
            lease.value,
            amounts=[(open_field(*named), amount) for named, amount in amounts.items()],
            expires_at_s=(day + 1) * DAY_S + self._history_s,
        )
        names_of_day = (names.worker_lease, names.minutes, names.day(day))
        self._pack(names_of_day, header, packed, blob or b"", of=f"camera {lease.camera_id}")


def forget_history(redis: Redis, camera_id: str, now_s: float) -> None:
    """Delete a camera's packed days, for any setting of `history_days`."""
    names = CameraKeys(camera_id)
    today = minute_of(now_s) // DAY_MINUTES
    days = [names.day(day) for day in range(today - LONGEST_HISTORY_DAYS, today + 2)]
    redis.unlink(*days)


def _open_amounts(raw: Any) -> dict[tuple[int, str], int]:
    return {parse_open_field(field): int(amount) for field, amount in raw.items()}


def _by_day(amounts: Amounts) -> dict[int, dict[tuple[int, str], int]]:
    days: dict[int, dict[tuple[int, str], int]] = defaultdict(dict)
    for (minute, column), amount in amounts.items():
        days[minute // DAY_MINUTES][minute, column] = amount
    return days


def _together(packed: bytes | None, amounts: Amounts) -> dict[str, Minutes]:
    """Return the columns of one day: the sum of packed and open amounts."""
    columns = unpack_day(packed) if packed else {}
    for (minute, column), amount in amounts.items():
        if column not in columns:
            columns[column] = np.zeros(DAY_MINUTES, np.int64)
        columns[column][minute % DAY_MINUTES] += amount
    return columns
