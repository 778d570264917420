"""When alerts open and close: margins, times that must last, cool-down, and what is not known."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.conditions import FORGET_AFTER_S, Reading, Transition, Watch, advance
from alerts.readings import rate
from contract.alerts.rules import AlertRule, RateLow, make_rule
from contract.errors import AlertError
from contract.people.minutes import FRAMES, invalid_column, people_column

STEP_S = 5.0


def rule_of(kind: str = "offline", cool_down: int = 0, **when: Any) -> AlertRule:
    return make_rule(name="r", when={"kind": kind, **when}, cool_down_minutes=cool_down)


class Run:
    """A rule at one camera, looked at every `STEP_S`."""

    def __init__(self, rule: AlertRule) -> None:
        self.rule, self.watch, self.now_s = rule, Watch(), 1_000_000.0
        self.looked_at_s: float | None = None
        self.events: list[tuple[Transition, float]] = []

    def see(self, reading: Reading) -> Transition | None:
        self.watch, event = advance(self.rule, self.watch, reading, self.now_s, self.looked_at_s)
        self.looked_at_s = self.now_s
        if event == "open":
            changes = {"alert_id": "a", "opened_at_s": self.now_s}
            self.watch = self.watch.model_copy(update=changes)
        if event == "close":
            self.watch = self.watch.model_copy(update={"alert_id": ""})
        if event:
            self.events.append((event, self.now_s))
        return event

    def see_for(self, verdict: Any, seconds: float) -> list[Transition]:
        began = len(self.events)
        for _ in range(int(seconds / STEP_S)):
            self.now_s += STEP_S
            self.see(Reading(verdict, self.now_s, ""))
        return [event for event, _ in self.events[began:]]

    @property
    def open(self) -> bool:
        return bool(self.watch.alert_id)


def test_what_lasts_too_short_opens_nothing_and_what_lasts_opens_once() -> None:
    run = Run(rule_of(for_s=60, clear_s=30))
    assert run.see_for("bad", 55) == []
    assert run.see_for("good", 5) == []
    assert run.see_for("bad", 600) == ["open"]
    assert run.see_for("good", 25) == []
    assert run.see_for("bad", 5) == []
    assert run.see_for("good", 600) == ["close"]


def test_the_source_may_know_since_when() -> None:
    run = Run(rule_of(for_s=60))
    assert run.see(Reading("bad", run.now_s - 61, "")) == "open"


def test_what_is_not_known_opens_nothing_closes_nothing_and_no_time_runs() -> None:
    run = Run(rule_of(for_s=60, clear_s=30))
    assert run.see_for("bad", 40) == []
    assert run.see_for("unknown", 3600) == []
    assert run.see_for("bad", 40) == []
    assert run.see_for("bad", 40) == ["open"]
    assert run.see_for("good", 20) == []
    assert run.see_for("unknown", 3600) == []
    assert run.see_for("good", 20) == []
    assert run.open


def test_what_nobody_saw_is_not_taken_for_lasting() -> None:
    run = Run(rule_of(for_s=60))
    run.see_for("bad", 30)
    run.now_s += FORGET_AFTER_S * 20  # no alerts process ran; the camera may have been well
    assert run.see_for("bad", 50) == []
    assert run.see_for("bad", 20) == ["open"]


def test_outside_its_hours_a_rule_opens_nothing_but_closes_what_is_open() -> None:
    run = Run(rule_of(for_s=5, clear_s=5))
    hours = {"begin": "00:00", "end": "12:00"}
    run.rule = make_rule(name="r", when=run.rule.when, schedule=hours, cool_down_minutes=0)
    run.now_s = 86400 * 20_000 + 11.99 * 3600
    assert run.see_for("bad", 15) == ["open"]
    run.now_s = 86400 * 20_000 + 13 * 3600
    run.looked_at_s = run.now_s
    assert run.see_for("good", 15) == ["close"]
    assert run.see_for("bad", 600) == []
    run.now_s = 86400 * 20_001 + 60
    run.looked_at_s = run.now_s
    assert run.see_for("bad", 15) == ["open"]


VERDICTS = st.sampled_from(["bad", "between", "good", "unknown"])


@given(st.lists(st.tuples(VERDICTS, st.integers(1, 60)), max_size=60), st.integers(0, 30))
def test_between_two_alerts_there_is_always_the_cool_down(
    history: list[tuple[str, int]], cool_down: int
) -> None:
    run = Run(rule_of(for_s=5, clear_s=0, cool_down=cool_down))
    for verdict, steps in history:
        run.see_for(verdict, steps * STEP_S)
    opened = [at_s for event, at_s in run.events if event == "open"]
    assert all(b - a >= cool_down * 60 for a, b in pairwise(opened))
    kinds = [event for event, _ in run.events]
    assert kinds == ["open", "close"] * (len(kinds) // 2) + ["open"] * (len(kinds) % 2)


def test_what_is_still_bad_after_the_cool_down_opens_then() -> None:
    run = Run(rule_of(for_s=5, clear_s=0, cool_down=10))
    assert run.see_for("bad", 30) == ["open"]
    assert run.see_for("good", 30) == ["close"]
    assert run.see_for("bad", 300) == []
    assert run.see_for("bad", 300) == ["open"]


# --- rates


def minutes(
    *rows: tuple[int, int], invalid: dict[int, int] | None = None, gaps: tuple[int, ...] = ()
) -> dict[str, np.ndarray]:
    """Columns of one row a minute: with a mask, without."""
    table = np.array(rows, np.int64)
    frames = np.full(len(rows), 300, np.int64)
    frames[list(gaps)] = 0
    marked = np.zeros(len(rows), np.int64)
    for minute, ms in (invalid or {}).items():
        marked[minute] = ms
    return {
        people_column("mask"): table[:, 0],
        people_column("no_mask"): table[:, 1],
        FRAMES: frames,
        invalid_column("frozen"): marked,
    }


RULE = RateLow(below=0.8, minutes=10, people=20, margin=0.05)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=10, max_size=10))
def test_a_rate_is_bad_or_good_only_past_its_limits_and_with_enough_people(
    rows: list[tuple[int, int]],
) -> None:
    judged, masked = sum(map(sum, rows)), sum(m for m, _ in rows)
    standing = rate(RULE, minutes(*rows), 0.0).standing
    if judged < 20:
        assert standing == "unknown"
    elif masked / judged < 0.8:
        assert standing == "bad"
    else:
        assert standing == ("good" if masked / judged >= 0.85 else "between")


def test_a_rate_at_the_limit_and_at_the_margin_is_judged_as_people_reckon() -> None:
    assert rate(RULE, minutes(*[(8, 2)] * 10), 0.0).standing == "between"
    assert rate(RULE, minutes(*[(17, 3)] * 10), 0.0).standing == "good"


@given(st.lists(st.floats(0.8, 0.8499), min_size=1, max_size=200), st.booleans())
def test_a_rate_that_trembles_within_the_margin_never_flaps(
    rates: list[float], was_open: bool
) -> None:
    run = Run(rule_of("rate", below=0.8, margin=0.05, minutes=1, people=1))
    if was_open:
        run.see_for("bad", STEP_S)
    before = run.open
    for share in rates:
        run.now_s += STEP_S
        masked = round(share * 10_000)
        when = run.rule.when
        assert isinstance(when, RateLow)
        run.see(rate(when, minutes((masked, 10_000 - masked)), run.now_s))
    assert run.open is before
    assert len(run.events) == int(was_open)


def test_people_of_minutes_marked_invalid_or_without_pictures_say_nothing() -> None:
    rows = [(1, 9)] * 4 + [(10, 0)] * 6
    assert rate(RULE, minutes(*rows), 0.0).standing == "bad"
    marked = dict.fromkeys(range(4), 1)
    assert rate(RULE, minutes(*rows, invalid=marked), 0.0).standing == "good"
    assert rate(RULE, minutes(*rows, gaps=(0, 1, 2, 3)), 0.0).standing == "good"


@pytest.mark.parametrize("row", [(0, 30), (30, 0)])
def test_a_camera_that_has_gone_dark_is_neither_low_nor_fine(row: tuple[int, int]) -> None:
    rows = [row] * 10
    expected = "bad" if row[1] else "good"
    assert rate(RULE, minutes(*rows), 0.0).standing == expected
    assert rate(RULE, minutes(*rows, gaps=(8, 9)), 0.0).standing == "unknown"
    assert rate(RULE, minutes(*rows, invalid={8: 500, 9: 60_000}), 0.0).standing == "unknown"
    assert rate(RULE, minutes(*rows, gaps=tuple(range(6))), 0.0).standing == "unknown"
    assert rate(RULE, {}, 0.0).standing == "unknown"


# --- rules


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"when": {"kind": "rate", "below": 0.97, "margin": 0.05}}, "could never close"),
        ({"when": {"kind": "rate", "below": 0}}, "when.below"),
        ({"when": {"kind": "rate"}}, "when.below: this field is missing"),
        ({"when": {"kind": "smell"}}, "when"),
        ({"name": " "}, "name"),
        ({"camera_id": "abc", "group": "T2"}, "camera_id or group"),
        ({"cool_down_minutes": -1}, "cool_down_minutes"),
        ({"schedule": {"tz": "Mars/Olympus"}}, "schedule.tz: expected an IANA time zone"),
        ({"when": {"kind": "offline", "for_s": 1}}, "when.for_s"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_the_field_and_what_was_expected(
    fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(AlertError, match=words):
        make_rule(**{"name": "Gates", "when": {"kind": "offline"}, **fields})
