"""When an alert opens and closes, from what is found and what is remembered. Pure logic.

Between *bad* and *good* there is room: the margin of a rate, and the time that bad or good must
last. In that room nothing changes, so that a value that trembles around a limit opens one alert.
What is not known is neither: it opens nothing, closes nothing, and no time runs meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from contract.alerts.rules import AlertRule

Verdict = Literal["bad", "between", "good", "unknown"]
FORGET_AFTER_S: Final = 30.0
"""If nobody looked for this long, nobody knows whether it was bad all the while."""


@dataclass(frozen=True)
class Reading:
    """How a camera stands towards a rule now."""

    verdict: Verdict
    since_s: float
    """Since when, as far as whoever measured it knows; else now."""
    words: str


class Watch(BaseModel):
    """What is remembered of one rule at one camera."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    bad_since_s: float | None = None
    good_since_s: float | None = None
    alert_id: str = ""
    """The open alert's; empty while none is open."""
    opened_at_s: float | None = None
    """When one was last opened: the cool-down runs from then."""


Transition = Literal["open", "close"]


def advance(
    rule: AlertRule, watch: Watch, reading: Reading, now_s: float, looked_at_s: float | None
) -> tuple[Watch, Transition | None]:
    """Return what to remember now, and whether the alert opens or closes.

    `looked_at_s`: when rules were last evaluated, None if never. The caller notes the new
    alert's id in the watch, or takes it out.
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
    reading: Reading, verdict: Verdict, before_s: float | None, now_s: float
) -> float | None:
    if reading.verdict != verdict:
        return None
    since_s = min(reading.since_s, now_s)
    return since_s if before_s is None else min(before_s, since_s)


def _rested(rule: AlertRule, watch: Watch, now_s: float) -> bool:
    opened_at_s = watch.opened_at_s
    # A clock that was set back must not silence a rule for longer than its cool-down.
    if opened_at_s is None or opened_at_s > now_s:
        return True
    return now_s - opened_at_s >= rule.cool_down_minutes * 60
