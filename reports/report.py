"""Mask compliance over a time range, step by step, for some cameras together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from bus.stores.day_sums import whole_minutes
from bus.stores.history import HistoryStore
from bus.stores.packed_days import Minutes
from contract.cameras.camera import Camera
from contract.errors import QueryError
from contract.people.compliance import MaskRate, mask_rate
from contract.people.corrected_rate import (
    AuditCounts,
    CorrectedRate,
    Counted,
    corrected_rates,
)
from contract.people.minutes import (
    ANALYSED_MS,
    DAY_MINUTES,
    FRAMES,
    INVALID,
    MINUTE_S,
    people_column,
)
from contract.people.verdicts import VERDICTS, Verdict
from reports.time_range import TimeRange

MOST_CAMERA_DAYS: Final = 8_000
"""Days of cameras that one query may read: 20 cameras for 400 days, in some three seconds
(`benchmarks.history_size`)."""

_PEOPLE: Final = {verdict: people_column(verdict) for verdict in VERDICTS}
MINUTE_MS: Final = MINUTE_S * 1000
Sums = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Point:
    """One step. Where nothing was analysed, `frames` is 0 and the people are not known."""

    from_s: int
    to_s: int
    amounts: Mapping[str, int]
    """Sums of the minutes' columns."""
    watched_ms: int
    """Milliseconds of the step for which the cameras could have been analysed, of all together:
    from when each was added until now. Never less than what was analysed."""
    audited: Mapping[AuditCounts, Mapping[Verdict, int]] = field(default_factory=dict)
    """Those of the people who were counted at cameras with an audit, by audit."""

    @property
    def is_gap(self) -> bool:
        """Whether no frame was analysed, so that nobody can say who walked by."""
        return not self.amounts.get(FRAMES, 0)

    @property
    def people(self) -> dict[Verdict, int]:
        return {verdict: self.amounts.get(people_column(verdict), 0) for verdict in VERDICTS}

    @property
    def rate(self) -> MaskRate:
        return mask_rate(self.people)

    @property
    def counted(self) -> list[Counted]:
        """The people by what is known of errors at their cameras."""
        others = Counter(self.people)
        for people in self.audited.values():
            others.subtract(people)
        return [Counted(others, None), *(Counted(p, audit) for audit, p in self.audited.items())]

    @property
    def unknown_share(self) -> float | None:
        """Unknown people among all; None of nobody."""
        everyone = sum(self.people.values())
        return self.people["unknown"] / everyone if everyone else None

    @property
    def watched_s(self) -> float:
        return self.watched_ms / 1000

    @property
    def analysed_s(self) -> float:
        return self.amounts.get(ANALYSED_MS, 0) / 1000

    @property
    def analysed_share(self) -> float | None:
        """Share of the time that was really analysed; None before the cameras existed."""
        return self.analysed_s / self.watched_s if self.watched_ms else None

    @property
    def missing_s(self) -> float:
        """Seconds in which a camera was there and was not analysed."""
        return self.watched_s - self.analysed_s

    @property
    def invalid_s(self) -> dict[str, float]:
        """Seconds in which a quality problem made the statistics invalid, by problem."""
        return {
            column.removeprefix(INVALID): amount / 1000
            for column, amount in sorted(self.amounts.items())
            if column.startswith(INVALID)
        }


@dataclass(frozen=True)
class Report:
    """The steps of a range, and the range as one step."""

    points: tuple[Point, ...]
    total: Point


def make_report(
    history: HistoryStore,
    cameras: Sequence[Camera],
    audits: Mapping[str, AuditCounts],
    time_range: TimeRange,
    now_s: float,
) -> Report:
    """Read and add up the minutes of `cameras`; audits: by camera's id.

    Raises:
        QueryError: it would read more than `MOST_CAMERA_DAYS`.
    """
    first_day, last_day = time_range.days
    asked = len(cameras) * (last_day - first_day + 1)
    if asked > MOST_CAMERA_DAYS:
        raise QueryError(
            f"{asked} days of cameras, expected at most {MOST_CAMERA_DAYS}; "
            "ask for fewer cameras or a shorter range"
        )
    edges = np.array(time_range.edges, np.int64)
    sums: dict[str, Sums] = {}
    analysed_ms = np.zeros((len(edges) - 1, len(cameras)), np.int64)
    audited: dict[AuditCounts, dict[str, Sums]] = {}
    places = {camera.id: place for place, camera in enumerate(cameras)}
    for camera_id, day, columns in history.days(list(places), first_day, last_day):
        add_day(sums, edges, day, columns)
        own = {ANALYSED_MS: columns[ANALYSED_MS]} if ANALYSED_MS in columns else {}
        add_day({ANALYSED_MS: analysed_ms[:, places[camera_id]]}, edges, day, own)
        if audit := audits.get(camera_id):
            people = {name: columns[name] for name in _PEOPLE.values() if name in columns}
            add_day(audited.setdefault(audit, {}), edges, day, people)
    points = tuple(
        Point(
            int(begin) * MINUTE_S,
            int(end) * MINUTE_S,
            {column: int(sums[column][i]) for column in sums},
            int(watched_ms(begin, end, cameras, now_s, analysed_ms[i]).sum()),
            {audit: _people_of(columns, i) for audit, columns in audited.items()},
        )
        for i, (begin, end) in enumerate(pairwise(edges))
    )
    return Report(points, total_of(points))


def _people_of(columns: Mapping[str, Sums], step: int) -> dict[Verdict, int]:
    return {
        verdict: int(columns[name][step]) for verdict, name in _PEOPLE.items() if name in columns
    }


def corrected(points: Sequence[Point]) -> list[CorrectedRate]:
    """Return the corrected rate of each point, faster than one by one."""
    return corrected_rates([point.counted for point in points])


def total_of(points: Sequence[Point]) -> Point:
    """One or more steps as one: every amount is the sum of the steps'."""
    amounts: Counter[str] = Counter()
    audited: dict[AuditCounts, Counter[Verdict]] = {}
    for point in points:
        amounts.update(point.amounts)
        for audit, people in point.audited.items():
            audited.setdefault(audit, Counter()).update(people)
    watched_ms = sum(point.watched_ms for point in points)
    return Point(points[0].from_s, points[-1].to_s, amounts, watched_ms, audited)


def add_day(
    sums: dict[str, Sums], edges: npt.NDArray[np.int64], day: int, columns: Mapping[str, Minutes]
) -> None:
    """Add the minutes of one day to the steps they are in.

    `edges` are `(N + 1,)` rising minutes since the epoch, the sums of a column `(N,)`.
    """
    begin, steps = day * DAY_MINUTES, len(edges) - 1
    low = max(int(np.searchsorted(edges, begin, "right")) - 1, 0)
    high = min(int(np.searchsorted(edges, begin + DAY_MINUTES, "left")), steps)
    places = np.clip(edges[low : high + 1] - begin, 0, DAY_MINUTES)
    running = np.zeros(DAY_MINUTES + 1, np.int64)
    for column, amounts in columns.items():
        if column not in sums:
            sums[column] = np.zeros(steps, np.int64)
        np.cumsum(whole_minutes(column, amounts), out=running[1:])
        sums[column][low:high] += np.diff(running[places])


def watched_ms(
    begin: int | np.int64,
    end: int | np.int64,
    cameras: Sequence[Camera],
    now_s: float,
    analysed_ms: Sums,
) -> Sums:
    """Return the milliseconds `(cameras,)` from minute `begin` to `end` in which each was there.

    Whole milliseconds of every moment, so that the steps of a range add up to exactly the range.
    """
    created_ms = np.array([round(camera.created_at_s * 1000) for camera in cameras], np.int64)
    until_ms = min(int(end) * MINUTE_MS, round(now_s * 1000))
    there: Sums = np.clip(until_ms - np.maximum(int(begin) * MINUTE_MS, created_ms), 0, None)
    # A camera that was restored from a backup may have minutes from before it was added.
    return np.maximum(there, analysed_ms)
