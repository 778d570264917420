"""Sums of a period, camera by camera and group by group, against the period before.

Everything here comes from the same minutes as `make_report` and has the same definitions: a
camera's figures are a `Point`. Long periods are read from stored sums by quarter of an hour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import chain, groupby
from typing import Final

import numpy as np

from bus.stores.day_sums import DAY_QUARTERS, QUARTER_MINUTES, SHEET_DAYS, whole_minutes
from bus.stores.history import CameraHistory, HistoryStore
from bus.stores.sheets import Allowance
from contract.cameras.camera import Camera
from contract.errors import QueryError
from contract.people.corrected_rate import AuditCounts, CorrectedRate
from contract.people.minutes import ANALYSED_MS, DAY_MINUTES, LONGEST_HISTORY_DAYS, MINUTE_S
from reports.named_periods import before
from reports.report import Point, corrected, total_of, watched_ms
from reports.time_range import DAY_S, cut
from reports.week import DaySums, Week, WeekHour, part_of, quarters_of

MOST_SUMMED_DAYS: Final = 1_000_000
"""Days of cameras that one summary may cover, both periods together: 1,000 cameras for 500 days
and the 500 before."""
MOST_NEW_SUMS: Final = 2_000
"""Packed days that one summary may add up because they have no sums yet, in some 0.7 s."""

Minutes = tuple[int, int]
"""First minute and the one after the last, since the epoch."""


@dataclass(frozen=True)
class Compared:
    """The sums of a period, and of the period before."""

    period: Point
    before: Point
    corrected: CorrectedRate
    """Of the period."""


@dataclass(frozen=True)
class CameraSummary(Compared):
    """One camera's sums."""

    camera: Camera


@dataclass(frozen=True)
class GroupSummary(Compared):
    """A group's sums. A person who passes two of its cameras counts at both."""

    group: str
    cameras: tuple[CameraSummary, ...]


@dataclass(frozen=True)
class PeriodSummary(Compared):
    """Sums over cameras. A person who passes two cameras counts at both."""

    groups: tuple[GroupSummary, ...]
    """By name; cameras without a group come last, under an empty name."""
    week: tuple[tuple[WeekHour, ...], ...]
    """Monday to Sunday, hours 0 to 23 of the time zone's clocks; of the period alone."""

    days: tuple[DaySums, ...]
    """Each local day of the period."""

    @property
    def cameras(self) -> tuple[CameraSummary, ...]:
        return tuple(camera for group in self.groups for camera in group.cameras)


def summarise(
    history: HistoryStore,
    cameras: Sequence[Camera],
    audits: Mapping[str, AuditCounts],
    from_s: float,
    to_s: float,
    zone: tzinfo,
    now_s: float,
) -> PeriodSummary:
    """Add up the minutes of `cameras` from `from_s` to `to_s` and those of the period before.

    audits: by camera's id.

    Raises:
        QueryError: the times are invalid, or there are too many days of cameras.
        HistoryNotSummedError: after an upgrade, older days are still being added up.
    """
    period = _minutes(from_s, to_s, zone)
    previous = _minutes(*before(period[0] * MINUTE_S, period[1] * MINUTE_S, zone), zone)
    first_day, last_day = previous[0] // DAY_MINUTES, (period[1] - 1) // DAY_MINUTES
    if (asked := len(cameras) * (last_day - first_day + 1)) > MOST_SUMMED_DAYS:
        raise QueryError(
            f"{asked} days of cameras with the period before, expected at most {MOST_SUMMED_DAYS}; "
            "ask for fewer cameras or a shorter period"
        )
    cut_days = {edge // DAY_MINUTES for edge in (*period, *previous) if edge % QUARTER_MINUTES}
    allowance, week, found = Allowance(MOST_NEW_SUMS), Week(period, zone), []
    for camera in cameras:
        amounts = history.sums(camera.id, first_day, last_day, cut_days, allowance)
        week.add(amounts)
        audit = audits.get(camera.id)
        now, then = (_point(camera, audit, span, amounts, now_s) for span in (period, previous))
        found.append(_Pair(camera, now, then))
    days = week.days(cut(period[0] * MINUTE_S, period[1] * MINUTE_S, DAY_S, zone).edges)
    return _summary(found, (period, previous), week.hours(), days)


def _minutes(from_s: float, to_s: float, zone: tzinfo) -> Minutes:
    edges = cut(max(0.0, from_s), to_s, LONGEST_HISTORY_DAYS * DAY_S, zone).edges
    return edges[0], edges[-1]


def _point(
    camera: Camera,
    audit: AuditCounts | None,
    span: Minutes,
    history: CameraHistory,
    now_s: float,
) -> Point:
    amounts: Counter[str] = Counter()
    for day, columns in history.days.items():
        part = part_of(span, day * DAY_MINUTES, DAY_MINUTES)
        for name, minutes in columns.items():
            amounts[name] += int(whole_minutes(name, minutes)[part].sum())
    quarters = quarters_of(span)
    for first_day, sums in history.sheets:
        part = part_of(quarters, first_day * DAY_QUARTERS, SHEET_DAYS * DAY_QUARTERS)
        if part.start < part.stop:
            for name, rows in sums.items():
                amounts[name] += int(rows.reshape(-1)[part].sum(dtype=np.int64))
    analysed_ms = np.array([amounts[ANALYSED_MS]], np.int64)
    watched = int(watched_ms(*span, [camera], now_s, analysed_ms)[0])
    point = Point(span[0] * MINUTE_S, span[1] * MINUTE_S, +amounts, watched)
    return replace(point, audited={audit: point.people}) if audit else point


@dataclass(frozen=True)
class _Pair:
    """What one or more cameras counted in both periods."""

    camera: Camera
    period: Point
    before: Point


def _summary(
    cameras: Sequence[_Pair],
    spans: tuple[Minutes, Minutes],
    week: tuple[tuple[WeekHour, ...], ...],
    days: tuple[DaySums, ...],
) -> PeriodSummary:
    def place(one: _Pair) -> tuple[bool, str, str]:
        return not one.camera.group, one.camera.group, one.camera.name

    groups = [
        (name, _sums(members := list(pairs), spans), members)
        for name, pairs in groupby(sorted(cameras, key=place), lambda one: one.camera.group)
    ]
    whole = _sums(cameras, spans)
    # The corrected rates of all points at once, in the order in which the points are taken below.
    points = ([sums[0], *(m.period for m in members)] for _, sums, members in groups)
    rates = iter(corrected([whole[0], *chain.from_iterable(points)]))
    return PeriodSummary(
        *whole,
        next(rates),
        tuple(
            GroupSummary(
                *sums,
                next(rates),
                name,
                tuple(CameraSummary(m.period, m.before, next(rates), m.camera) for m in members),
            )
            for name, sums, members in groups
        ),
        week,
        days,
    )


def _sums(cameras: Sequence[_Pair], spans: tuple[Minutes, Minutes]) -> tuple[Point, Point]:
    if cameras:
        return total_of([one.period for one in cameras]), total_of([one.before for one in cameras])
    empty = [Point(span[0] * MINUTE_S, span[1] * MINUTE_S, {}, 0) for span in spans]
    return empty[0], empty[1]
