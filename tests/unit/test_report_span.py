"""Weeks and months of reports: names, words, and where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from contract.errors import QueryError
from reports.span import ReportSpan, last_whole, next_due_s, parse_span, span_of

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_S = 3600


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("name", "days", "title"),
    [
        ("2026-W48", "23 to 29 November 2026", "week 48 of 2026"),
        ("2026-W49", "30 November to 6 December 2026", "week 49 of 2026"),
        ("2026-W53", "28 December 2026 to 3 January 2027", "week 53 of 2026"),
        ("2026-12", "1 to 31 December 2026", "December 2026"),
        ("2028-02", "1 to 29 February 2028", "February 2028"),
    ],
)
def test_a_span_is_read_and_told(name: str, days: str, title: str) -> None:
    span = parse_span(name)
    assert (span.name, span.days_words(), span.title()) == (name, days, title)
    assert span.following.previous == span


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "2027-W53", "2026-W00", "w48"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="span: expected a week such as"):
        parse_span(text)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("2026-W13", 7 * 24 - 1),
        ("2026-W43", 7 * 24 + 1),
        ("2026-W48", 7 * 24),
        ("2026-03", 31 * 24 - 1),
        ("2026-10", 31 * 24 + 1),
    ],
)
def test_a_span_has_an_hour_less_or_more_where_clocks_change(name: str, hours: int) -> None:
    from_s, to_s = parse_span(name).edges(BERLIN)
    assert (to_s - from_s) / HOUR_S == hours
    assert parse_span(name).following.edges(BERLIN)[0] == to_s


def test_a_week_whose_sunday_begins_at_one_o_clock_is_an_hour_shorter() -> None:
    # Beirut skipped midnight of Sunday, 27 March 2022.
    beirut = ZoneInfo("Asia/Beirut")
    _, to_s = span_of("week", date(2022, 3, 21)).edges(beirut)
    assert to_s == at("2022-03-28T00:00", beirut)
    assert to_s - span_of("week", date(2022, 3, 21)).edges(beirut)[0] == (7 * 24 - 1) * HOUR_S


def test_the_last_whole_week_is_over_in_its_own_zone() -> None:
    sunday_evening_utc = datetime(2026, 11, 29, 23, 30, tzinfo=UTC).timestamp()
    assert last_whole("week", sunday_evening_utc, ZoneInfo("UTC")).name == "2026-W47"
    assert last_whole("week", sunday_evening_utc, BERLIN).name == "2026-W48"
    assert last_whole("month", at("2026-01-01T00:00"), BERLIN).name == "2025-12"


@pytest.mark.parametrize(
    ("kind", "clock", "after", "due"),
    [
        ("week", time(6), "2026-11-30T05:59", "2026-11-30T06:00"),
        ("week", time(6), "2026-11-30T06:00", "2026-12-07T06:00"),
        ("month", time(6), "2026-11-30T06:00", "2026-12-01T06:00"),
        ("month", time(6), "2026-12-31T23:59", "2027-01-01T06:00"),
        # From winter to summer time and back the clock stays, the hours between change.
        ("week", time(6), "2026-03-23T06:00", "2026-03-30T06:00"),
        ("week", time(6), "2026-10-19T06:00", "2026-10-26T06:00"),
    ],
)
def test_a_report_is_due_by_local_clocks(kind: str, clock: time, after: str, due: str) -> None:
    assert next_due_s(kind, clock, BERLIN, at(after)) == at(due)  # type: ignore[arg-type]


def test_a_repeated_time_is_due_once() -> None:
    # Clocks went back from 2:00 to 1:00 on the first day of November.
    new_york = ZoneInfo("America/New_York")
    due_s = next_due_s("month", time(1, 30), new_york, at("2026-10-31T12:00", new_york))
    assert datetime.fromtimestamp(due_s, UTC) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    again_s = next_due_s("month", time(1, 30), new_york, due_s)
    assert again_s == at("2026-12-01T01:30", new_york)


def test_a_skipped_time_is_due_after_the_gap() -> None:
    # Clocks went forward from 0:00 to 1:00 on the first day of October.
    asuncion = ZoneInfo("America/Asuncion")
    due_s = next_due_s("month", time(0, 30), asuncion, at("2017-09-30T12:00", asuncion))
    assert due_s == at("2017-10-01T01:30", asuncion)


def test_a_sunday_is_the_last_day_of_its_week() -> None:
    assert span_of("week", date(2026, 11, 29)) == ReportSpan("week", date(2026, 11, 23))
