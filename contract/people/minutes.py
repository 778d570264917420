"""What happened to a camera in each minute: the names of the columns, and how to add to them.

A minute is named by its number since the epoch. Amounts are whole: counts, or milliseconds
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
"""How long minutes are kept unless set otherwise: a year, and the same month of the last one."""
LONGEST_HISTORY_DAYS: Final = 3660

FRAMES: Final = "frames"
"""Frames analysed."""
FACES: Final = "faces"
"""Faces in those frames: a person in view for ten frames is ten of these."""
ANALYSED_MS: Final = "analysed_ms"
"""Time really analysed: see `worker.camera`."""
DROPPED: Final = "dropped"
"""Sampled frames that were not analysed, whatever the cause (not those `not_sampled`)."""

people_column = people_field
"""Column of the people of one verdict, in the minute each was last seen."""


INVALID: Final = "invalid_ms:"


def invalid_column(problem: str) -> str:
    """Column of the milliseconds in which a quality problem made the statistics invalid."""
    return f"{INVALID}{problem}"


def minute_of(time_s: float) -> int:
    """Number of the minute since the epoch that a time is in."""
    return math.floor(time_s / MINUTE_S)


class MinuteIncrements:
    """What one event adds to a camera's minutes. Amounts are whole numbers, never negative."""

    def __init__(self) -> None:
        self._amounts: dict[tuple[int, str], int] = {}

    def add(self, time_s: float, column: str, amount: int = 1) -> None:
        """Add `amount` to the minute that `time_s` (seconds since the epoch) is in."""
        self._add(minute_of(time_s), column, amount)

    def add_span(self, from_s: float, to_s: float, column: str) -> None:
        """Add the milliseconds from `from_s` to `to_s`, each to the minute it is in.

        Nothing when `to_s` is not later. Spans that touch add up to their union exactly.

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
        """Add all of `other` too."""
        for (minute, column), amount in other._amounts.items():
            self._add(minute, column, amount)

    def amounts(self) -> Mapping[tuple[int, str], int]:
        """Amount by minute and column."""
        return dict(self._amounts)

    def arguments(self) -> list[str]:
        """Field, amount, field, amount ... as a script takes them."""
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
    """Field of the hash of open minutes."""
    return f"{minute}:{column}"


def parse_open_field(field: bytes) -> tuple[int, str]:
    """Read what `open_field` wrote: minute and column."""
    minute, _, column = field.decode().partition(":")
    return int(minute), column
