"""Figures of a period in words, for pages and documents."""

from __future__ import annotations

from typing import Final

from contract.people.compliance import MaskRate
from contract.people.corrected_rate import CorrectedRate
from reports.periods import Compared
from reports.report import Point

HOUR_S: Final = 3600
UNKNOWN: Final = "\N{EN DASH}"


def percent_words(share: float | None) -> str:
    """Return a share as `63.2 %`; a dash where it is not known."""
    return UNKNOWN if share is None else f"{share * 100:.1f} %"


def interval_words(rate: MaskRate) -> str:
    """Return a rate's interval as `61 to 66`, in percent."""
    if rate.low is None or rate.high is None:
        return ""
    return f"{rate.low * 100:.0f} to {rate.high * 100:.0f}"


def corrected_words(rate: CorrectedRate) -> str:
    """Return a corrected rate's interval as `61 to 66, not audited`, in percent."""
    if rate.low is None or rate.high is None:
        return ""
    interval = f"{rate.low * 100:.0f} to {rate.high * 100:.0f}"
    return interval if rate.audited else f"{interval}, not audited"


def hours_words(seconds: float) -> str:
    """Return a time as `3 min` or `12.5 h`."""
    if seconds < 1:
        return "none"
    return (
        f"{max(1, round(seconds / 60))} min" if seconds < HOUR_S else f"{seconds / HOUR_S:,.1f} h"
    )


def everyone(point: Point) -> int:
    """Return all people counted, whatever their verdict."""
    return sum(point.people.values())


def people_change(compared: Compared) -> str:
    """Return the change of people counted against the period before, as `12 % more`."""
    now, then = everyone(compared.period), everyone(compared.before)
    if compared.before.is_gap or compared.period.is_gap or not then:
        return ""
    change = round((now / then - 1) * 100)
    return "as many" if not change else f"{abs(change):,} % {'more' if change > 0 else 'fewer'}"


def rate_change(compared: Compared) -> str:
    """Return the change of the rate, as `+3.1 points`."""
    now, then = compared.period.rate.rate, compared.before.rate.rate
    if now is None or then is None:
        return ""
    points = round((now - then) * 100, 1)
    return f"{points:+.1f} points" if points else "no change"


def invalid_words(point: Point) -> str:
    """Return how long a problem of the picture made the counts invalid."""
    return hours_words(sum(point.invalid_s.values()))
