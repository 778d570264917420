"""How much was analysed: one truth for figures, charts and files."""

from __future__ import annotations

from datetime import UTC
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.cameras.camera import Camera, make_camera
from contract.people.minutes import ANALYSED_MS, FRAMES, MINUTE_S
from dashboard.compliance.answers import CompliancePoint
from dashboard.compliance.api import file_stem
from reports.report import Point, corrected, total_of, watched_ms

MINUTES = 1440


def point(begin: int, end: int, cameras: list[Camera], now_s: float, *analysed_ms: int) -> Point:
    watched = watched_ms(begin, end, cameras, now_s, np.array(analysed_ms, np.int64))
    amounts = {ANALYSED_MS: sum(analysed_ms), FRAMES: len(analysed_ms)}
    return Point(begin * MINUTE_S, end * MINUTE_S, amounts, int(watched.sum()))


def added_at(created_s: float) -> Camera:
    return make_camera(name="Gate", source="demo:", created_at_s=created_s)


@st.composite
def steps(draw: st.DrawFn) -> list[Point]:
    """Steps of some cameras, added at any time and analysed for any time, until some now."""
    edges = sorted(draw(st.sets(st.integers(0, MINUTES), min_size=2, max_size=12)))
    cameras = [added_at(one) for one in draw(st.lists(st.floats(0, 9e4), min_size=1, max_size=4))]
    now_s = draw(st.floats(0, MINUTES * MINUTE_S))
    made = []
    for begin, end in pairwise(edges):
        most_ms = (end - begin) * MINUTE_S * 1000
        analysed_ms = [draw(st.integers(0, most_ms)) for _ in cameras]
        made.append(point(begin, end, cameras, now_s, *analysed_ms))
    return made


@given(steps())
def test_the_share_is_that_of_the_seconds_beside_it_in_each_step_and_in_the_total(
    points: list[Point],
) -> None:
    for point in [*points, total_of(points)]:
        assert 0 <= point.analysed_s <= point.watched_s
        if point.analysed_share is not None:
            assert point.analysed_share == pytest.approx(point.analysed_s / point.watched_s)
        said = CompliancePoint.of(point, *corrected([point]), UTC)
        assert said.missing_s == pytest.approx(said.watched_s - said.analysed_s, abs=0.002)
        assert (said.analysed_share is None) == (said.watched_s == 0)


@given(steps())
def test_what_the_chart_shows_step_by_step_adds_up_to_the_figure_above_it(
    points: list[Point],
) -> None:
    total = total_of(points)
    for name in ("watched_s", "analysed_s", "missing_s"):
        assert sum(getattr(point, name) for point in points) == pytest.approx(getattr(total, name))


def test_an_hour_in_which_the_camera_was_not_there_is_not_missing() -> None:
    camera = added_at(2 * 3600.0)
    before = point(0, 60, [camera], 9e4, 0)
    after = point(120, 180, [camera], 9e4, 0)
    assert (before.watched_s, before.missing_s, before.analysed_share) == (0, 0, None)
    assert (after.watched_s, after.missing_s, after.analysed_share) == (3600, 3600, 0)


@given(st.floats(0, 9e4), st.floats(0, 9e4), st.sets(st.integers(1, MINUTES - 1)))
def test_the_time_of_the_steps_is_that_of_the_whole_to_the_millisecond(
    created_s: float, now_s: float, inner: set[int]
) -> None:
    camera = added_at(created_s)
    parts = [
        point(begin, end, [camera], now_s, 0)
        for begin, end in pairwise([0, *sorted(inner), MINUTES])
    ]
    whole = point(0, MINUTES, [camera], now_s, 0)
    assert sum(part.watched_ms for part in parts) == whole.watched_ms


def test_a_camera_that_was_added_late_does_not_take_time_from_another() -> None:
    early, late = added_at(0.0), added_at(1e9)
    # As after a restore: minutes from before the camera was added.
    both = point(0, 60, [early, late], 9e4, 0, 60_000)
    assert (both.watched_s, both.analysed_s, both.missing_s) == (3660, 60, 3600)


@pytest.mark.parametrize(
    ("names", "from_s", "to_s", "stem"),
    [
        (["Gate"], 0, 2 * 86400, "Gate 1970-01-01 to 1970-01-02"),
        (["Gate", "Door"], 0, 3600, "Gate and 1 more 1970-01-01 00.00 to 01.00"),
        ([], 0, 90000, "All cameras 1970-01-01 to 1970-01-02"),
    ],
)
def test_a_file_is_named_by_its_cameras_and_its_period(
    names: list[str], from_s: int, to_s: int, stem: str
) -> None:
    assert file_stem(names, Point(from_s, to_s, {}, 0), UTC) == stem
