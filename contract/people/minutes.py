"""Minutes of a camera: the names of their columns, and how to add to them.

A minute's name is its number since the epoch. Amounts are whole: counts, or milliseconds
(columns that end in `_ms`), so that any split of a time range adds up to exactly the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from contract.people.totals import people_field

MINUTE_S: Final = 60
DAY_MINUTES: Final = 1440
HISTORY_DAYS: Final = 400
"""Default days for which minutes are kept: a year and a month, for a comparison with last year."""
LONGEST_HISTORY_DAYS: Final = 3660

FRAMES: Final = "frames"
"""Frames analysed."""
FACES: Final = "faces"
"""Faces in analysed frames: a person in view for ten frames counts ten times."""
ANALYSED_MS: Final = "analysed_ms"
"""Milliseconds analysed; see `worker.session`."""
DROPPED: Final = "dropped"
"""Sampled frames that were not analysed, for any cause except `not_sampled`."""

people_column = people_field
"""Column of people with one verdict; each counts in the minute of the last sighting."""


INVALID: Final = "invalid_ms:"


def invalid_column(problem: str) -> str:
    """Return the column of milliseconds that a quality problem made invalid."""
    return f"{INVALID}{problem}"


def minute_of(time_s: float) -> int:
    """Return the number of a time's minute since the epoch."""
    return math.floor(time_s / MINUTE_S)


class MinuteIncrements:
    """Amounts that one event adds to a camera's minutes: whole numbers, never negative."""

    def __init__(self) -> None:
        self._amounts: dict[tuple[int, str], int] = {}

    def add(self, time_s: float, column: str, amount: int = 1) -> None:
        """Add `amount` to the minute of `time_s` (seconds since the epoch)."""
        self._add(minute_of(time_s), column, amount)

    def add_span(self, from_s: float, to_s: float, column: str) -> None:
        """Add the milliseconds from `from_s` to `to_s`, each to its own minute.

        Adds nothing if `to_s` is not later. Adjacent spans add up to their union exactly.

        >>> spans = MinuteIncrements()
        >>> spans.add_span(119.5, 121.0, "analysed_ms")
        >>> spans.amounts()
        {(1, 'analysed_ms'): 500, (2, 'analysed_ms'): 1000}
        """
        start_ms, end_ms = round(from_s * 1000), round(to_s * 1000)
        while start_ms < end_ms:
            minute = start_ms // (MINUTE_S * 1000)
            until_ms = min(end_ms, (minute + 1) * MINUTE_S * 1000)
            self._add(minute, column, until_ms - start_ms)
            start_ms = until_ms

    def merge(self, other: MinuteIncrements) -> None:
        """Add all amounts of `other`."""
        for (minute, column), amount in other._amounts.items():
            self._add(minute, column, amount)

    def amounts(self) -> Mapping[tuple[int, str], int]:
        """Return the amounts by minute and column."""
        return dict(self._amounts)

    def arguments(self) -> list[str]:
        """Return field, amount, field, amount ... as scripts expect them."""
        return [
            part
            for (minute, column), amount in self._amounts.items()
            for part in (open_field(minute, column), str(amount))
        ]

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def _add(self, minute: int, column: str, amount: int) -> None:
        if amount:
            key = minute, column
            self._amounts[key] = self._amounts.get(key, 0) + amount


def open_field(minute: int, column: str) -> str:
    """Return the field in the hash of open minutes."""
    return f"{minute}:{column}"


def parse_open_field(field: bytes) -> tuple[int, str]:
    """Read what `open_field` wrote: minute and column."""
    minute, _, column = field.decode().partition(":")
    return int(minute), column
