"""Sums by weekday and hour, and by day, as the clocks of a time zone show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bus.stores.day_sums import DAY_QUARTERS, QUARTER_MINUTES
from bus.stores.history import CameraHistory
from contract.people.compliance import MaskRate, mask_rate
from contract.people.minutes import DAY_MINUTES, FRAMES, MINUTE_S, people_column
from contract.people.verdicts import VERDICTS, Verdict

HOURS: Final = 24
WEEK_HOURS: Final = 7 * HOURS
_COLUMNS: Final = (*(people_column(verdict) for verdict in VERDICTS), FRAMES)
_QUARTER_S: Final = QUARTER_MINUTES * MINUTE_S


@dataclass(frozen=True)
class WeekHour:
    """One hour of the week: all its occurrences in the period together."""

    people: Mapping[Verdict, int]
    is_gap: bool
    """Whether no frame was analysed in any of them."""

    @property
    def rate(self) -> MaskRate:
        return mask_rate(self.people)


@dataclass(frozen=True)
class DaySums(WeekHour):
    """One local day, as far as it is of the period."""

    from_s: int
    to_s: int


class Week:
    """Adds up the minutes of a period, of any number of cameras."""

    def __init__(self, span: tuple[int, int], zone: tzinfo) -> None:
        """`span`: the first minute and the one after the last, since the epoch."""
        self._span = span
        self._zone = zone
        self._first = span[0] // DAY_MINUTES * DAY_QUARTERS
        length = -(-span[1] // DAY_MINUTES) * DAY_QUARTERS - self._first
        self._sums = {name: np.zeros(length, np.int64) for name in _COLUMNS}

    def add(self, history: CameraHistory) -> None:
        """Add one camera's amounts."""
        for first_day, sums in history.sheets:
            for name in sums.keys() & _COLUMNS:
                self._add_quarters(name, first_day, sums[name])
        for day, columns in history.days.items():
            part = part_of(self._span, day * DAY_MINUTES, DAY_MINUTES)
            if part.start < part.stop:
                for name in columns.keys() & _COLUMNS:
                    minutes = np.zeros(DAY_MINUTES, np.int64)
                    minutes[part] = columns[name][part]
                    self._add_quarters(name, day, minutes.reshape(DAY_QUARTERS, -1).sum(1))

    def hours(self) -> tuple[tuple[WeekHour, ...], ...]:
        """Return the sums, Monday to Sunday, hours 0 to 23."""
        places = self._places()
        sums = {
            name: np.bincount(places, one, WEEK_HOURS).astype(np.int64)
            for name, one in self._sums.items()
        }
        found = [
            WeekHour(
                {verdict: int(sums[people_column(verdict)][hour]) for verdict in VERDICTS},
                not sums[FRAMES][hour],
            )
            for hour in range(WEEK_HOURS)
        ]
        return tuple(tuple(found[day : day + HOURS]) for day in range(0, WEEK_HOURS, HOURS))

    def days(self, edges: Sequence[int]) -> tuple[DaySums, ...]:
        """Return the sums of each step of `edges`, rising minutes of the period.

        A quarter of an hour that an edge cuts belongs to the earlier step.
        """
        found = []
        ends = [-(-edge // QUARTER_MINUTES) for edge in edges[1:]]
        places = [one - self._first for one in (edges[0] // QUARTER_MINUTES, *ends)]
        for (begin, end), (low, high) in zip(pairwise(edges), pairwise(places), strict=True):
            sums = {name: int(one[low:high].sum()) for name, one in self._sums.items()}
            people = {verdict: sums[people_column(verdict)] for verdict in VERDICTS}
            found.append(DaySums(people, not sums[FRAMES], begin * MINUTE_S, end * MINUTE_S))
        return tuple(found)

    def _add_quarters(self, name: str, first_day: int, rows: npt.NDArray[np.integer]) -> None:
        """Add sums that begin with a day, as far as they are of the period."""
        first, length = first_day * DAY_QUARTERS, rows.size
        part = part_of(quarters_of(self._span), first, length)
        if part.start < part.stop:
            begin = first + part.start - self._first
            self._sums[name][begin : begin + part.stop - part.start] += rows.reshape(-1)[part]

    def _places(self) -> npt.NDArray[np.int64]:
        """Return the hour of the week, from 0 for Monday 0:00, of each quarter."""
        starts_s = (self._first + np.arange(self._sums[FRAMES].size)) * _QUARTER_S
        local_h = (starts_s + self._offsets_s(starts_s)) // 3600
        # The epoch was a Thursday.
        places: npt.NDArray[np.int64] = (local_h + 3 * HOURS) % WEEK_HOURS
        return places

    def _offsets_s(self, starts_s: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the offset of the zone's clocks at each quarter."""
        offsets = np.empty(len(starts_s), np.int64)
        for begin in range(0, len(starts_s), DAY_QUARTERS):
            day = starts_s[begin : begin + DAY_QUARTERS]
            ends = self._offset_s(int(day[0])), self._offset_s(int(day[-1]))
            changes = ends[0] != ends[1]
            offsets[begin : begin + len(day)] = (
                [self._offset_s(int(one)) for one in day] if changes else ends[0]
            )
        return offsets

    def _offset_s(self, time_s: int) -> int:
        offset = datetime.fromtimestamp(time_s, self._zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0


def quarters_of(span: tuple[int, int]) -> tuple[int, int]:
    """Return the quarters that a span of minutes touches.

    A quarter that is cut is in a day that was read by minute, so that its sums here are 0.
    """
    return span[0] // QUARTER_MINUTES, -(-span[1] // QUARTER_MINUTES)


def part_of(span: tuple[int, int], first: int, length: int) -> slice:
    """Return the places of `span` in an array of `length` that begins with number `first`."""
    low, high = (min(max(edge - first, 0), length) for edge in span)
    return slice(low, high)
