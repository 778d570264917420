"""Makes and stores sheets: the sums of a camera's packed days (`bus.stores.day_sums`).

A sheet that exists has the sums of every packed day of its span, because a day and its sheet are
written in one step. A sheet that does not exist is made from its days by whoever needs it first:
after an upgrade, after a restore, or after it was deleted to have it made again.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from redis import Redis
from redis.exceptions import OutOfMemoryError

from bus.keys import CameraKeys
from bus.scripts.script import Header, Script
from bus.stores.day_sums import NEVER, Sheet, days_of
from bus.stores.packed_days import unpack_day
from contract.errors import HistoryNotSummedError, MessageError

EMPTY_KEPT_S: Final = 7 * 86400
"""Seconds for which it is remembered that a span has no packed days."""
EXPIRY_STEP_S: Final = 60
"""Days expire at multiples of this, so that a time to live tells the moment in spite of clocks."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Put(Header):
    script: ClassVar = "put_sums"

    expires_at_s: int
    bytes_read: list[int]
    """Length of each packed day of the sheet, as read; 0 for days without one."""


class Allowance:
    """How many packed days a reader may still add up on the way. Each takes 0.3 ms."""

    def __init__(self, days: int) -> None:
        self._left = days

    def require(self) -> None:
        """Raise `HistoryNotSummedError` when it is used up."""
        if self._left <= 0:
            raise HistoryNotSummedError(
                "the history is being added up once, after an upgrade or a restore; "
                "ask again: each request gets further"
            )

    def take(self, days: int) -> None:
        self._left -= days


class Sheets:
    """Reads, makes and stores sheets."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._put = Script(redis, _Put)

    def read(self, names: CameraKeys, number: int, raw: bytes | None) -> Sheet | None:
        """Return the sheet as stored; None if it has to be made, or made again."""
        if not raw:
            return None
        try:
            return Sheet.decode(number, raw)
        except MessageError as error:
            _log.warning("sums are made again: %s", error)
            self._redis.delete(names.sums(number))
            return None

    def make(self, names: CameraKeys, number: int, allowance: Allowance | None = None) -> Sheet:
        """Make a sheet from its packed days, and store it if nothing changed meanwhile.

        Raises:
            HistoryNotSummedError: the allowance is used up.
            MessageError: a packed day cannot be read.
        """
        if allowance:
            allowance.require()
        sheet, bytes_read = self.add_up(names, number)
        if allowance:
            allowance.take(sum(1 for length in bytes_read if length))
        keys = (names.sums(number), *(names.day(day) for day in days_of(number)))
        with suppress(OutOfMemoryError):  # then the next reader makes it again
            self._put(keys, _Put(expiry_of(sheet), bytes_read), sheet.encode())
        return sheet

    def add_up(self, names: CameraKeys, number: int) -> tuple[Sheet, list[int]]:
        """Return a sheet made from its packed days, and the length of each day; store nothing.

        Raises:
            MessageError: a packed day cannot be read.
        """
        days = days_of(number)
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.mget([names.day(day) for day in days])
            for day in days:
                pipeline.ttl(names.day(day))
            blobs, *left_s = pipeline.execute()
        sheet = Sheet.empty(number)
        for day, blob, left in zip(days, blobs, left_s, strict=True):
            if blob:
                sheet = sheet.with_day(day, unpack_day(blob), _moment(left))
        return sheet, [len(blob or b"") for blob in blobs]


def expiry_of(sheet: Sheet) -> int:
    """Return when a sheet expires: with the last of its days."""
    return int(sheet.expires_at_s.max()) or round(time.time()) + EMPTY_KEPT_S


def _moment(left_s: Any) -> int:
    if left_s == -1:
        return NEVER
    return int(round((time.time() + max(left_s, 0)) / EXPIRY_STEP_S) * EXPIRY_STEP_S)
