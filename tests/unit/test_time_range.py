"""Ranges and steps: whole minutes, local days, and nothing lost or doubled at any edge."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.errors import QueryError
from contract.people.minutes import DAY_MINUTES
from dashboard.web.time_range import parse_step, parse_time, parse_zone
from reports.report import add_day
from reports.time_range import MOST_POINTS, cut

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
     "Asia/Beirut", "Pacific/Apia", "America/St_Johns"]
).map(ZoneInfo)  # fmt: skip
STEPS_S = st.sampled_from([60, 300, 3600, 7 * 3600, 86400, 7 * 86400])
MOMENTS_S = st.integers(1_000_000_000, 2_000_000_000)


def local(text: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@given(MOMENTS_S, st.integers(60, 40 * 86400), STEPS_S, ZONES)
def test_steps_cover_the_range_without_gap_or_overlap(
    from_s: int, length_s: int, step_s: int, zone: ZoneInfo
) -> None:
    if length_s / step_s > MOST_POINTS - 2:
        length_s = step_s * (MOST_POINTS - 2)
    edges = cut(from_s, from_s + length_s, step_s, zone).edges
    assert edges[0] == from_s // 60
    assert edges[-1] == (from_s + length_s) // 60
    longest = step_s // 60 if step_s < 86400 else step_s // 60 + 26 * 60
    assert all(0 < after - before <= longest for before, after in pairwise(edges))


@given(MOMENTS_S, st.integers(1, 86400), st.integers(1, 86400), STEPS_S, ZONES)
def test_two_ranges_that_touch_have_the_minutes_of_both(
    from_s: int, first_s: int, second_s: int, step_s: int, zone: ZoneInfo
) -> None:
    middle_s, to_s = from_s + 60 + first_s, from_s + 120 + first_s + second_s
    step_s = max(step_s, 300)
    left, right = cut(from_s, middle_s, step_s, zone), cut(middle_s, to_s, step_s, zone)
    whole = cut(from_s, to_s, step_s, zone)
    assert left.edges[-1] == right.edges[0]
    # Splitting adds at most the one edge where it was split.
    if step_s <= 86400:
        assert set(left.edges) | set(right.edges) == set(whole.edges) | {right.edges[0]}


@given(
    st.dictionaries(st.integers(0, 3 * DAY_MINUTES - 1), st.integers(1, 1000), max_size=30),
    st.sets(st.integers(0, 3 * DAY_MINUTES), min_size=2, max_size=40),
)
def test_the_sums_of_any_split_are_the_sum_of_the_whole(
    amounts: dict[int, int], split: set[int]
) -> None:
    edges = np.array(sorted(split))
    by_step: dict[str, np.ndarray] = {}
    by_range: dict[str, np.ndarray] = {}
    for day in range(3):
        minutes = np.zeros(DAY_MINUTES, np.int64)
        for minute, amount in amounts.items():
            if minute // DAY_MINUTES == day:
                minutes[minute % DAY_MINUTES] = amount
        add_day(by_step, edges, day, {"faces": minutes})
        add_day(by_range, edges[[0, -1]], day, {"faces": minutes})
    sums, whole = by_step["faces"], by_range["faces"]
    inside = {m: a for m, a in amounts.items() if edges[0] <= m < edges[-1]}
    assert sums.sum() == whole[0] == sum(inside.values())
    for i, (begin, end) in enumerate(pairwise(edges)):
        assert sums[i] == sum(a for m, a in inside.items() if begin <= m < end)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)]
)
def test_a_day_is_a_local_day_also_when_the_clocks_change(day: str, hours: int) -> None:
    from_s = local(day)
    whole = cut(from_s, from_s + hours * 3600, 86400, BERLIN)
    assert len(whole.edges) == 2
    by_hour = cut(from_s, from_s + hours * 3600, 3600, BERLIN)
    assert len(by_hour.edges) == hours + 1


def test_hours_begin_on_the_clock_where_the_zone_is_half_an_hour_off() -> None:
    kolkata = ZoneInfo("Asia/Kolkata")
    edges = cut(local("2026-11-24T08:20", kolkata), local("2026-11-24T10:10", kolkata), 3600, kolkata).edges  # fmt: skip # noqa: E501
    clock = [datetime.fromtimestamp(edge * 60, kolkata).strftime("%H:%M") for edge in edges]
    assert clock == ["08:20", "09:00", "10:00", "10:10"]


def test_a_range_of_nothing_or_of_too_many_steps_is_refused_with_what_to_do() -> None:
    with pytest.raises(QueryError, match="at least one whole minute"):
        cut(1e9, 1e9, 60, UTC)
    with pytest.raises(QueryError, match="longer step"):
        cut(1e9, 1e9 + 60 * (MOST_POINTS + 1), 60, UTC)
    with pytest.raises(QueryError, match="3660 days"):
        cut(1e9, 1e9 + 3661 * 86400, 86400, UTC)
    with pytest.raises(QueryError, match="1970 and 2100"):
        cut(1e9, 1e12, 86400, UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("minute", 60), ("hour", 3600), ("day", 86400), ("900", 900)]
)
def test_a_step_is_a_word_or_seconds(text: str, seconds: int) -> None:
    assert parse_step(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "90", "-60", "90000", "week", "60.0", "9" * 30])
def test_a_step_that_is_no_whole_minutes_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="step: expected"):
        parse_step(text)


@pytest.mark.parametrize(
    "text",
    ["2026-11-24T08:00:00Z", "2026-11-24T09:00:00+01:00", "2026-11-24T09:00:00 01:00",
     "2026-11-24 08:00:00Z", "1795507200", "2026-11-24T09:00"],
)  # fmt: skip
def test_a_time_is_rfc_3339_or_seconds_or_local(text: str) -> None:
    assert parse_time("from", text, BERLIN) == 1_795_507_200


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00Z", "1e9", "nan"])
def test_what_is_no_time_is_refused_by_parameter(text: str) -> None:
    with pytest.raises(QueryError, match="from: expected a time"):
        parse_time("from", text, UTC)


@pytest.mark.parametrize("text", ["", "Mars", "../etc/passwd", "Europe", "/etc/localtime"])
def test_what_is_no_time_zone_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="tz: expected"):
        parse_zone(text)
