"""Sums of packed days by quarter of an hour: a sheet holds 32 days of one camera.

All offsets of time zones in use are multiples of a quarter of an hour, so that sheets answer for
local days everywhere. A sheet is derived: it can be deleted and made again from its packed days.

The first byte is the version. Then follows zlib over the columns' names and item sizes as JSON, a
line feed, the days' expiry times and, column by column, the sums in the smallest unsigned integers
that hold them.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from bus.stores.packed_days import Minutes
from contract.errors import MessageError
from contract.messages import checked, read_json, to_json
from contract.people.minutes import ANALYSED_MS, DAY_MINUTES, DROPPED, FACES, MINUTE_S

QUARTER_MINUTES: Final = 15
DAY_QUARTERS: Final = DAY_MINUTES // QUARTER_MINUTES
SHEET_DAYS: Final = 32
NEVER: Final = 2**32 - 1
"""Expiry of a packed day that does not expire."""
NOT_SUMMED: Final = frozenset({FACES, DROPPED})
"""Columns that sheets leave out, because no summary shows them."""

VERSION: Final = b"1"
MOST_BYTES: Final = 1024 * 1024
"""Largest unpacked sheet: 80 columns of sums in 32 bits."""
_TIMES: Final = np.dtype("<u4")
_ITEMS: Final = {size: np.dtype(f"<u{size}") for size in (1, 2, 4, 8)}
_NAMES: Final = TypeAdapter(list[tuple[str, int]])

Quarters = npt.NDArray[Any]
"""`(SHEET_DAYS, DAY_QUARTERS)` unsigned sums of one column, by UTC."""


def sheet_of(day: int) -> int:
    """Return the number of a day's sheet."""
    return day // SHEET_DAYS


def days_of(sheet: int) -> range:
    """Return the days of a sheet, numbered since the epoch in UTC."""
    return range(sheet * SHEET_DAYS, (sheet + 1) * SHEET_DAYS)


@dataclass(frozen=True)
class Sheet:
    """The sums of every packed day of `days_of(number)`."""

    number: int
    expires_at_s: npt.NDArray[np.uint32]
    """`(SHEET_DAYS,)` when each packed day expires; 0 for days without one."""
    columns: Mapping[str, Quarters]

    @classmethod
    def empty(cls, number: int) -> Sheet:
        return cls(number, np.zeros(SHEET_DAYS, np.uint32), {})

    def with_day(self, day: int, columns: Mapping[str, Minutes], expires_at_s: int) -> Sheet:
        """Return the sheet with one day's sums replaced."""
        row = day - days_of(self.number).start
        sums = {name: by_quarter(name, one) for name, one in columns.items()}
        summed = {name: one for name, one in sums.items() if name not in NOT_SUMMED and one.any()}
        changed: dict[str, Quarters] = {}
        for name in {*self.columns, *summed}:
            rows = np.zeros((SHEET_DAYS, DAY_QUARTERS), np.int64)
            if name in self.columns:
                rows[:] = self.columns[name]
            rows[row] = summed.get(name, 0)
            changed[name] = rows
        times = self.expires_at_s.copy()
        times[row] = expires_at_s
        return Sheet(self.number, times, changed)

    def without(self, days: frozenset[int], now_s: float) -> Mapping[str, Quarters]:
        """Return the columns with zeros in these days, and in those that have expired."""
        first = days_of(self.number).start
        gone = (self.expires_at_s > 0) & (self.expires_at_s <= now_s)
        gone[[day - first for day in days if sheet_of(day) == self.number]] = True
        if not gone.any():
            return self.columns
        return {name: np.where(gone[:, None], 0, rows) for name, rows in self.columns.items()}

    def encode(self) -> bytes:
        kept = {name: _smallest(rows) for name, rows in sorted(self.columns.items()) if rows.any()}
        head = to_json([[name, rows.itemsize] for name, rows in kept.items()]).encode() + b"\n"
        parts = (self.expires_at_s.astype(_TIMES), *kept.values())
        return VERSION + zlib.compress(head + b"".join(one.tobytes() for one in parts))

    @classmethod
    def decode(cls, number: int, packed: bytes) -> Sheet:
        """Read what `encode` wrote; raise `MessageError` for anything else."""
        if packed[:1] != VERSION:
            raise MessageError(f"a sheet of sums of version {packed[:1]!r}, expected {VERSION!r}")
        try:
            unpacked = zlib.decompressobj()
            body = unpacked.decompress(packed[1:], MOST_BYTES)
            if unpacked.unconsumed_tail or not unpacked.eof:
                raise MessageError(
                    f"a sheet of sums is cut off or has more than {MOST_BYTES} bytes"
                )
            head_end = body.index(b"\n")
            names = checked(_NAMES, read_json(body[:head_end], "a sheet"), "a sheet of sums")
            return cls(number, *_arrays(body, head_end + 1, names))
        except (zlib.error, ValueError, KeyError) as error:
            if isinstance(error, MessageError):
                raise
            raise MessageError(f"a sheet of sums cannot be read: {error}") from error


def by_quarter(column: str, minutes: Minutes) -> npt.NDArray[np.int64]:
    """Return the sums `(DAY_QUARTERS,)` of a day's minutes."""
    sums: npt.NDArray[np.int64] = whole_minutes(column, minutes).reshape(DAY_QUARTERS, -1).sum(1)
    return sums


def whole_minutes(column: str, minutes: Minutes) -> Minutes:
    """Return the amounts as they count.

    A clock that was set back has some minutes twice; no minute is more than analysed.
    """
    return np.minimum(minutes, MINUTE_S * 1000) if column == ANALYSED_MS else minutes


def _smallest(rows: Quarters) -> Quarters:
    size = next(size for size in _ITEMS if rows.max() < 2 ** (8 * size))
    return rows.astype(_ITEMS[size])


def _arrays(
    body: bytes, place: int, names: list[tuple[str, int]]
) -> tuple[npt.NDArray[np.uint32], dict[str, Quarters]]:
    times = np.frombuffer(body, _TIMES, SHEET_DAYS, place)
    place += times.nbytes
    columns: dict[str, Quarters] = {}
    for name, size in names:
        rows = np.frombuffer(body, _ITEMS[size], SHEET_DAYS * DAY_QUARTERS, place)
        columns[name] = rows.reshape(SHEET_DAYS, DAY_QUARTERS)
        place += rows.nbytes
    return times, columns
