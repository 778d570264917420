"""Pauses between attempts grow, stay bounded, and begin again after a success."""

from __future__ import annotations

import pytest

from ingest.process.backoff import FIRST_S, LONGEST_REFUSED_S, CameraBackoff
from runtime.backoff import Backoff


def pauses(backoff: Backoff, count: int) -> list[float]:
    return [backoff.next_s() for _ in range(count)]


def test_pauses_double_up_to_the_longest() -> None:
    assert pauses(Backoff(0.5, 3.0), 5) == [0.5, 1.0, 2.0, 3.0, 3.0]


def test_a_success_makes_the_next_pause_the_shortest() -> None:
    backoff = Backoff(0.5, 10.0)
    pauses(backoff, 7)
    backoff.reset()
    assert pauses(backoff, 2) == [0.5, 1.0]


def test_a_pause_stays_finite_however_often_attempts_failed() -> None:
    assert Backoff(0.5, 10.0, factor=4.0, failures=10**6).next_s() == 10.0


def test_chance_spreads_pauses_without_lengthening_them() -> None:
    found = {Backoff(1.0, 8.0, jitter=0.25).next_s() for _ in range(200)}
    assert len(found) > 100
    assert 0.75 <= min(found) < 0.8
    assert 0.95 < max(found) <= 1.0


def test_a_password_that_never_worked_is_tried_rarely() -> None:
    never_worked = CameraBackoff(longest_s=3.0)
    assert never_worked.next_s(refused=True) > 60.0
    assert never_worked.next_s(refused=True) == pytest.approx(LONGEST_REFUSED_S, rel=0.25)
    assert never_worked.next_s() <= FIRST_S


def test_a_password_that_worked_before_is_tried_again_soon() -> None:
    worked = CameraBackoff(longest_s=3.0)
    worked.reset()
    assert worked.next_s(refused=True) <= FIRST_S
