"""Hours by the clock on the wall: over midnight, and where clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contract.alerts.schedule import DAYS, Schedule

BERLIN = "Europe/Berlin"


def at(text: str, tz: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz), fold=fold).timestamp()


@pytest.mark.parametrize(
    ("moment", "covered"),
    [
        ("2026-11-20T21:59:59", False),  # a Friday
        ("2026-11-20T22:00:00", True),
        ("2026-11-21T05:59:59", True),  # Saturday morning still belongs to Friday's night
        ("2026-11-21T06:00:00", False),
        ("2026-11-21T23:00:00", False),
        ("2026-11-20T05:00:00", False),  # Friday morning belongs to Thursday's night
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(moment: str, covered: bool) -> None:
    night = Schedule(days=("fri",), begin="22:00", end="06:00", tz=BERLIN)
    assert night.covers(at(moment, BERLIN)) is covered


def test_hours_are_those_of_the_wall_before_and_after_the_clocks_change() -> None:
    office = Schedule(begin="08:00", end="09:00", tz=BERLIN)
    for day in ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25"):
        assert office.covers(at(f"{day}T08:30:00", BERLIN)), day
        assert not office.covers(at(f"{day}T09:30:00", BERLIN)), day


def test_an_hour_that_is_skipped_never_comes_and_one_that_is_repeated_comes_twice() -> None:
    early = Schedule(begin="02:00", end="03:00", tz=BERLIN)
    spring = [at("2026-03-29T00:00:00", BERLIN) + 60 * m for m in range(6 * 60)]
    autumn = [at("2026-10-25T00:00:00", BERLIN) + 60 * m for m in range(6 * 60)]
    assert sum(map(early.covers, spring)) == 0
    assert sum(map(early.covers, autumn)) == 120


def test_a_day_without_hours_is_the_whole_day() -> None:
    sunday = Schedule(days=("sun",), tz=BERLIN)
    begin = datetime(2026, 10, 25, tzinfo=ZoneInfo(BERLIN))  # 25 hours long
    minutes = [begin.timestamp() + 60 * m for m in range(-120, 25 * 60 + 120)]
    assert sum(map(sunday.covers, minutes)) == 25 * 60


clocks = st.times().map(lambda t: f"{t:%H:%M}")


@given(begin=clocks, end=clocks, day=st.sampled_from(DAYS), tz=st.sampled_from(["UTC", BERLIN]))
def test_every_moment_is_in_the_hours_or_in_those_turned_round(
    begin: str, end: str, day: str, tz: str
) -> None:
    """Where no clock is changed, hours and their complement tile the week."""
    if begin == end:
        return
    inside = Schedule(begin=begin, end=end, tz=tz)
    outside = Schedule(begin=end, end=begin, tz=tz)
    start = datetime(2026, 6, 1, tzinfo=UTC)
    for half_hours in range(2 * 24 * 7):
        now_s = (start + timedelta(minutes=30 * half_hours)).timestamp()
        assert inside.covers(now_s) != outside.covers(now_s)


@pytest.mark.parametrize(
    "fields",
    [{"days": ()}, {"begin": "24:00"}, {"end": "7:00"}, {"tz": "Mars/Olympus"}, {"hours": 3}],
)
def test_what_is_no_schedule_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Schedule(**fields)


def test_a_schedule_says_itself() -> None:
    words = Schedule(days=("sat", "mon"), begin="22:00", end="06:00", tz=BERLIN).words()
    assert words == "mon, sat, 22:00 to 06:00, Europe/Berlin"
    assert Schedule().words() == "every day, all day, UTC"
