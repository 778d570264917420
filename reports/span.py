"""Weeks and months of a report, as the clocks of a time zone begin and end them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, get_args
from zoneinfo import ZoneInfo

from contract.alerts.report_schedules import ReportDue, ReportSchedule, SpanKind
from contract.errors import QueryError
from reports.named_periods import Span, midnight, months_before

SPAN_KINDS: Final[tuple[SpanKind, ...]] = get_args(SpanKind)
_WEEK: Final = re.compile(r"(20\d\d)-W(\d\d)")
_MONTH: Final = re.compile(r"(20\d\d)-(\d\d)")


@dataclass(frozen=True)
class ReportSpan:
    """A week from Monday to Sunday (ISO 8601), or a calendar month."""

    kind: SpanKind
    first: date

    @property
    def after(self) -> date:
        """Return the first day that is no longer in it."""
        if self.kind == "week":
            return self.first + timedelta(days=7)
        return months_before(self.first, -1)

    @property
    def last(self) -> date:
        return self.after - timedelta(days=1)

    @property
    def previous(self) -> ReportSpan:
        return span_of(self.kind, self.first - timedelta(days=1))

    @property
    def following(self) -> ReportSpan:
        return ReportSpan(self.kind, self.after)

    @property
    def name(self) -> str:
        """Return `2026-W48` or `2026-11`, which `parse_span` reads."""
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02}" if self.kind == "week" else f"{self.first:%Y-%m}"

    def edges(self, zone: tzinfo) -> Span:
        """Return from and to, in seconds since the epoch: local midnights.

        Where clocks change in it, a week has 167 or 169 hours.
        """
        return midnight(self.first, zone), midnight(self.after, zone)

    def title(self) -> str:
        """Return `week 48 of 2026` or `November 2026`."""
        if self.kind == "month":
            return f"{self.first:%B %Y}"
        year, week, _ = self.first.isocalendar()
        return f"week {week} of {year}"

    def days_words(self) -> str:
        """Return `23 to 29 November 2026`, with as much of the first day as the last lacks."""
        begin, end = self.first, self.last
        months = "" if begin.month == end.month else f" {begin:%B}"
        years = "" if begin.year == end.year else f" {begin.year}"
        return f"{begin.day}{months}{years} to {end.day} {end:%B} {end.year}"


def span_of(kind: SpanKind, day: date) -> ReportSpan:
    """Return the week or month that a day is in."""
    first = day - timedelta(days=day.weekday()) if kind == "week" else day.replace(day=1)
    return ReportSpan(kind, first)


def last_whole(kind: SpanKind, at_s: float, zone: tzinfo) -> ReportSpan:
    """Return the newest week or month that is over at a moment."""
    return span_of(kind, datetime.fromtimestamp(at_s, zone).date()).previous


def next_due_s(kind: SpanKind, clock: time, zone: tzinfo, after_s: float) -> float:
    """Return when a report is next due: on the first day after a week or month, at `clock`.

    A time that the clocks skip is due when they would have shown it; of a repeated one, the first.
    """
    span = span_of(kind, datetime.fromtimestamp(after_s, zone).date())
    for first in (span.first, span.after):
        due_s = datetime.combine(first, clock, zone).timestamp()
        if due_s > after_s:
            return due_s
    raise AssertionError("the second of two spans begins later")


def due_of(schedule: ReportSchedule, span: ReportSpan) -> ReportDue:
    """Return a schedule's report about a week or month."""
    from_s, to_s = span.edges(ZoneInfo(schedule.tz))
    return ReportDue(
        schedule_id=schedule.id,
        schedule=schedule.name,
        group=schedule.group,
        span=span.name,
        from_s=from_s,
        to_s=to_s,
    )


def parse_span(text: str) -> ReportSpan:
    """Read a week such as `2026-W48` or a month such as `2026-11`; raises `QueryError`."""
    try:
        if found := _WEEK.fullmatch(text):
            return ReportSpan("week", date.fromisocalendar(int(found[1]), int(found[2]), 1))
        if found := _MONTH.fullmatch(text):
            return ReportSpan("month", date(int(found[1]), int(found[2]), 1))
    except ValueError:
        pass  # a week or month that its year does not have
    raise QueryError(
        f"span: expected a week such as 2026-W48 or a month such as 2026-11; found {text[:40]}"
    )
