"""The rate of each day of a report, ready to be drawn on a page or in a document."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.people.compliance import MaskRate
from reports.document import PeriodReport
from reports.week import DaySums

DAYS: Final = 7


@dataclass(frozen=True)
class DayMark:
    """One column of the chart."""

    label: str
    """`Mon 23`."""
    name: str
    """`Mon 23 Nov`."""
    sums: DaySums | None
    """None for a day that is still to come."""

    @property
    def rate(self) -> MaskRate:
        return self.sums.rate if self.sums else MaskRate(0, None)

    @property
    def people(self) -> int | None:
        """Return how many were counted; None where nobody can know."""
        return None if self.sums is None or self.sums.is_gap else sum(self.sums.people.values())


def day_marks(report: PeriodReport) -> list[DayMark]:
    """Return a mark for each day of the week or month, also for those to come."""
    done = {_local(report, day): day for day in report.summary.days}
    marks = []
    for number in range((report.span.after - report.span.first).days):
        day = report.span.first + timedelta(days=number)
        label = f"{day:%a} {day.day}"
        marks.append(DayMark(label, f"{label} {day:%b}", done.get(day.toordinal())))
    return marks


def day_labels(report: PeriodReport, marks: list[DayMark]) -> list[tuple[str, int]]:
    """Return the labels below the chart, each with the number of columns that it stands for."""
    if report.span.kind == "week":
        return [(mark.label, 1) for mark in marks]
    weeks = [marks[at : at + DAYS] for at in range(0, len(marks), DAYS)]
    # A label needs more room than the last days of a month have on a phone.
    return [(week[0].label if len(week) == DAYS else "", len(week)) for week in weeks]


def _local(report: PeriodReport, day: DaySums) -> int:
    return datetime.fromtimestamp(day.from_s, report.zone).toordinal()
