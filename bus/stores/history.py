"""Each camera's minutes in Redis: new ones in a hash, older ones packed into a string per day.

A minute's amounts are always the sum of both, so it does not matter when or how often the open
ones are packed, and late amounts (a person last seen before a long outage) simply open their
minute again. Packed days expire.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

import numpy as np
from redis import Redis
from redis.exceptions import OutOfMemoryError

from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.scripts.script import FencedHeader, FencedScript
from bus.stores.day_sums import Quarters, Sheet, days_of, sheet_of
from bus.stores.packed_days import Minutes, pack_day, unpack_day
from bus.stores.sheets import Allowance, Sheets, expiry_of
from contract.errors import MessageError
from contract.people.minutes import (
    DAY_MINUTES,
    HISTORY_DAYS,
    LONGEST_HISTORY_DAYS,
    MINUTE_S,
    minute_of,
    open_field,
    parse_open_field,
)
from runtime.logs import about

DAY_S: Final = DAY_MINUTES * MINUTE_S
PACK_ABOVE_FIELDS: Final = 300
"""Open amounts of a camera above which they are packed, about two hours' worth. It is below the 512
(`hash-max-ziplist-entries`) up to which Redis stores a hash compactly."""
READ_AT_ONCE: Final = 256

Amounts = Mapping[tuple[int, str], int]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Pack(FencedHeader):
    script: ClassVar = "pack_minutes"

    amounts: list[tuple[str, int]]
    """Open fields and amounts that move into the day."""
    expires_at_s: int
    sums_expire_at_s: int = 0


@dataclass(frozen=True)
class CameraHistory:
    """A camera's amounts from one moment: each day is either in `sheets` or in `days`."""

    sheets: Sequence[tuple[int, Mapping[str, Quarters]]]
    """First day and columns of each sheet; zeros in the days that are in `days`."""
    days: Mapping[int, dict[str, Minutes]]


class HistoryStore:
    """Packs and reads the minutes of cameras."""

    def __init__(self, redis: Redis, history_days: int = HISTORY_DAYS) -> None:
        self._redis = redis
        self._history_s = history_days * DAY_S
        self._pack = FencedScript(redis, _Pack)
        self._sheets = Sheets(redis)

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

    def sums(
        self,
        camera_id: str,
        first_day: int,
        last_day: int,
        by_minute: Collection[int] = (),
        allowance: Allowance | None = None,
    ) -> CameraHistory:
        """Return a camera's amounts by quarter of an hour; by minute for the days `by_minute`.

        Days that have open amounts are also returned by minute.

        Raises:
            HistoryNotSummedError: more sums are missing than the allowance lets us make.
        """
        names, now_s = CameraKeys(camera_id), time.time()
        numbers = range(sheet_of(first_day), sheet_of(last_day) + 1)
        keys = [names.sums(number) for number in numbers]
        whole = {*by_minute, minute_of(now_s) // DAY_MINUTES}
        while True:
            asked = sorted(day for day in whole if first_day <= day <= last_day)
            opened, found = self._read(names, [*keys, *(names.day(day) for day in asked)])
            still_open = _by_day(_open_amounts(opened))
            if whole.issuperset(day for day in still_open if first_day <= day <= last_day):
                break
            whole.update(still_open)  # and read again: amounts may have been packed meanwhile
        days = {
            day: _together(blob, still_open.get(day, {}))
            for day, blob in zip(asked, found[len(keys) :], strict=True)
        }
        sheets = [
            (days_of(number).start, self._sheet(names, number, raw, allowance))
            for number, raw in zip(numbers, found[: len(keys)], strict=True)
        ]
        left_out = frozenset(asked)
        return CameraHistory(
            [(first, sheet.without(left_out, now_s)) for first, sheet in sheets], days
        )

    def _sheet(
        self, names: CameraKeys, number: int, raw: bytes | None, allowance: Allowance | None
    ) -> Sheet:
        return self._sheets.read(names, number, raw) or self._sheets.make(names, number, allowance)

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
        names = CameraKeys(camera_id)
        opened, packed = self._read(names, [names.day(day) for day in wanted])
        still_open = _by_day(_open_amounts(opened))
        for day, blob in zip(wanted, packed, strict=True):
            columns = _together(blob, still_open.get(day, {}))
            if columns:
                yield camera_id, day, columns

    def _read(
        self, names: CameraKeys, strings: Sequence[str]
    ) -> tuple[dict[bytes, bytes], list[bytes | None]]:
        """Return a camera's open amounts and some of its strings from one moment."""
        try:
            # In one transaction: between two reads a minute could move from one to the other.
            return self._read_at_once(names, strings, transaction=True)
        except OutOfMemoryError:
            # A full Redis accepts no transaction, but moves nothing either.
            return self._read_at_once(names, strings, transaction=False)

    def _read_at_once(
        self, names: CameraKeys, strings: Sequence[str], transaction: bool
    ) -> tuple[dict[bytes, bytes], list[bytes | None]]:
        with self._redis.pipeline(transaction=transaction) as pipeline:
            pipeline.hgetall(names.minutes)
            for start in range(0, len(strings), READ_AT_ONCE):
                pipeline.mget(strings[start : start + READ_AT_ONCE])
            opened, *chunks = pipeline.execute()
        return opened, [value for chunk in chunks for value in chunk]

    def _pack_day(self, lease: Lease, names: CameraKeys, day: int, amounts: Amounts) -> None:
        sheet = names.sums(sheet_of(day))
        blob, raw = cast("list[bytes | None]", self._redis.mget(names.day(day), sheet))
        columns = _together(blob, amounts)
        expires_at_s = (day + 1) * DAY_S + self._history_s
        sums, sums_expire_at_s = self._sums_with(lease.camera_id, day, columns, raw, expires_at_s)
        header = _Pack(
            lease.value,
            amounts=[(open_field(*named), amount) for named, amount in amounts.items()],
            expires_at_s=expires_at_s,
            sums_expire_at_s=sums_expire_at_s,
        )
        keys = (names.worker_lease, names.minutes, names.day(day), sheet)
        beside = (pack_day(columns), blob or b"", sums, raw or b"")
        self._pack(keys, header, *beside, of=f"camera {lease.camera_id}")

    def _sums_with(
        self,
        camera_id: str,
        day: int,
        columns: Mapping[str, Minutes],
        raw: bytes | None,
        expires_at_s: int,
    ) -> tuple[bytes, int]:
        """Return the day's sheet with its new sums, and when it expires.

        Empty if another day of the sheet cannot be read: then no reader finds a sheet.
        """
        names, number = CameraKeys(camera_id), sheet_of(day)
        try:
            sheet = Sheet.decode(number, raw) if raw else self._sheets.add_up(names, number)[0]
        except MessageError as error:
            _log.warning("the sums are made later: %s", error, extra=about(camera_id=camera_id))
            return b"", 0
        sheet = sheet.with_day(day, columns, expires_at_s)
        return sheet.encode(), expiry_of(sheet)


def forget_history(redis: Redis, camera_id: str, now_s: float) -> None:
    """Delete a camera's packed days and their sums, for any setting of `history_days`."""
    names = CameraKeys(camera_id)
    today = minute_of(now_s) // DAY_MINUTES
    first, last = today - LONGEST_HISTORY_DAYS, today + 1
    redis.unlink(*(names.day(day) for day in range(first, last + 1)))
    forget_sums(redis, names, first, last)


def forget_sums(redis: Redis, names: CameraKeys, first_day: int, last_day: int) -> None:
    """Delete the sums of some days; they are made again when somebody asks for them."""
    numbers = range(sheet_of(first_day), sheet_of(last_day) + 1)
    redis.unlink(*(names.sums(number) for number in numbers))


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
