"""A range of time cut into steps of whole minutes. Pure arithmetic.

Steps of less than a day begin at local midnight, so that an hour is an hour of the clock in every
time zone; steps of days are local days, of 23 or 25 hours where the clocks are changed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from contract.errors import QueryError
from contract.people.minutes import DAY_MINUTES, LONGEST_HISTORY_DAYS, MINUTE_S

DAY_S: Final = DAY_MINUTES * MINUTE_S
MOST_POINTS: Final = 3000
LATEST_S: Final = 4_102_444_800


@dataclass(frozen=True)
class TimeRange:
    """Half-open steps, one after the other: `edges[i]` to `edges[i + 1]`."""

    edges: tuple[int, ...]
    """Minutes since the epoch, rising; at least two. The first and last step may be cut short."""

    @property
    def from_s(self) -> int:
        return self.edges[0] * MINUTE_S

    @property
    def to_s(self) -> int:
        return self.edges[-1] * MINUTE_S

    @property
    def days(self) -> tuple[int, int]:
        """The first and the last day it touches, numbered since the epoch in UTC."""
        return self.edges[0] // DAY_MINUTES, (self.edges[-1] - 1) // DAY_MINUTES


def cut(from_s: float, to_s: float, step_s: int, zone: tzinfo) -> TimeRange:
    """Return the steps from `from_s` to `to_s` (seconds since the epoch), cut to whole minutes.

    Raises:
        QueryError: no minute lies between them, or too many steps, or one is not of our time.
    """
    if not 0 <= from_s < LATEST_S or not 0 <= to_s < LATEST_S:
        raise QueryError("from, to: expected times between the years 1970 and 2100")
    first, last = math.floor(from_s / MINUTE_S), math.floor(to_s / MINUTE_S)
    if last <= first:
        raise QueryError("from, to: expected a range of at least one whole minute, from before to")
    if last - first > LONGEST_HISTORY_DAYS * DAY_MINUTES:
        raise QueryError(f"from, to: expected at most {LONGEST_HISTORY_DAYS} days between them")
    if (last - first) * MINUTE_S / step_s > MOST_POINTS:
        raise QueryError(
            f"step: {(last - first) * MINUTE_S // step_s} points, expected at most {MOST_POINTS}; "
            "ask for a longer step or a shorter range"
        )
    inner = (edge for edge in _edges(first, last, step_s, zone) if first < edge < last)
    return TimeRange((first, *inner, last))


def _edges(first: int, last: int, step_s: int, zone: tzinfo) -> Iterator[int]:
    """Yield where steps begin, as minutes, rising, from before `first` to after `last`."""
    step = step_s // MINUTE_S
    midnights = _midnights(first, last, max(1, step // DAY_MINUTES), zone)
    begin = next(midnights)
    for end in midnights:
        yield from range(begin, end, step) if step < DAY_MINUTES else (begin,)
        begin = end


def _midnights(first: int, last: int, every_days: int, zone: tzinfo) -> Iterator[int]:
    """Yield every so many local midnights as minutes, the first at or before `first`."""
    day = datetime.fromtimestamp(first * MINUTE_S, zone).date()
    while True:
        minute = _midnight(day, zone)
        yield minute
        if minute > last:
            return
        day += timedelta(days=every_days)


def _midnight(day: date, zone: tzinfo) -> int:
    # Where a clock change skips midnight, this is the moment of the change.
    moment = datetime(day.year, day.month, day.day, tzinfo=zone)
    return math.floor(moment.timestamp() / MINUTE_S)
