"""Decides when an alert opens and closes, from a reading and the state of its watch. Pure logic.

A rate has a margin between *bad* and *good*, and a bad or good reading must last for some time.
Nothing changes between the two, so a value that wavers around a limit opens one alert only.
An unknown reading is neither: it opens nothing, closes nothing, and stops the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from contract.alerts.rules import AlertRule

Standing = Literal["bad", "between", "good", "unknown"]
FORGET_AFTER_S: Final = 30.0
"""After a gap this long between evaluations, the time of a bad or good reading starts again."""


@dataclass(frozen=True)
class Reading:
    """A camera's current standing towards a rule."""

    standing: Standing
    since_s: float
    """When this began, as far as it is known; otherwise now."""
    words: str


class Watch(BaseModel):
    """The state of one rule at one camera between evaluations."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    bad_since_s: float | None = None
    good_since_s: float | None = None
    alert_id: str = ""
    """Id of the open alert; empty if no alert is open."""
    opened_at_s: float | None = None
    """When an alert last opened here: the cool-down starts then."""


Transition = Literal["open", "close"]


def advance(
    rule: AlertRule, watch: Watch, reading: Reading, now_s: float, looked_at_s: float | None
) -> tuple[Watch, Transition | None]:
    """Return the new watch, and whether the alert opens or closes.

    `looked_at_s`: when rules were last evaluated; None if never. The caller writes the
    new alert's id into the watch, or removes it.
    """
    remembered = looked_at_s is not None and 0 <= now_s - looked_at_s <= FORGET_AFTER_S
    bad = _since(reading, "bad", watch.bad_since_s if remembered else None, now_s)
    good = _since(reading, "good", watch.good_since_s if remembered else None, now_s)
    after = watch.model_copy(update={"bad_since_s": bad, "good_since_s": good})
    if watch.alert_id:
        closes = good is not None and now_s - good >= rule.when.clear_s
        return after, "close" if closes else None
    held = bad is not None and now_s - bad >= rule.when.hold_s
    if held and rule.may_open(now_s) and _rested(rule, watch, now_s):
        return after, "open"
    return after, None


def _since(
    reading: Reading, standing: Standing, before_s: float | None, now_s: float
) -> float | None:
    if reading.standing != standing:
        return None
    since_s = min(reading.since_s, now_s)
    return since_s if before_s is None else min(before_s, since_s)


def _rested(rule: AlertRule, watch: Watch, now_s: float) -> bool:
    opened_at_s = watch.opened_at_s
    # A clock that was set back must not silence a rule for longer than its cool-down.
    if opened_at_s is None or opened_at_s > now_s:
        return True
    return now_s - opened_at_s >= rule.cool_down_minutes * 60
