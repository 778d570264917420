"""The overview of a period: the first page that tells how all cameras did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, render_template, request, url_for

from contract.alerts.rules import KIND_WORDS
from contract.cameras.quality import PROBLEM_WORDS
from contract.people.compliance import MaskRate
from contract.people.corrected_rate import CorrectedRate
from dashboard.accounts.access import requires
from dashboard.alerts.rights import visible_alerts
from dashboard.live.board import CameraSnapshot
from dashboard.overview.query import Overview, PeriodQuery, overview
from dashboard.services import services
from dashboard.web.requests import query
from reports.named_periods import PeriodName
from reports.periods import CameraSummary, Compared
from reports.report import Point

ENOUGH_PEOPLE: Final = 20
"""People with a verdict from which a camera is among the best or worst."""
BEST: Final = 5
PERIOD_WORDS: Final[dict[PeriodName, str]] = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "7 days",
    "30d": "30 days",
    "month": "This month",
    "last_month": "Last month",
}
DAY_WORDS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOUR_S: Final = 3600
UNKNOWN: Final = "\N{EN DASH}"

blueprint = Blueprint("overview_pages", __name__)


@dataclass(frozen=True)
class Concern:
    """Something that needs attention now."""

    camera: str
    url: str
    words: str


@blueprint.get("/overview")
@requires("viewer")
def show() -> str:
    """Show how all cameras did in a period, against the period before."""
    found = overview(query(PeriodQuery))
    summary = found.summary
    return render_template(
        "overview.html",
        found=found,
        summary=summary,
        concerns=_concerns(summary.cameras),
        worst=_extremes(summary.cameras, best=False),
        best=_extremes(summary.cameras, best=True),
        periods=PERIOD_WORDS,
        days=DAY_WORDS,
        enough=ENOUGH_PEOPLE,
        at_the_time={"from": summary.period.from_s, "to": summary.period.to_s},
        span=_span_words(summary.period, found),
        span_before=_span_words(summary.before, found),
        csv_query={**request.args.to_dict(), "format": "csv"},
    )


def _concerns(cameras: Iterable[CameraSummary]) -> list[Concern]:
    seen = {one.camera.id for one in cameras}
    found = [
        concern
        for snapshot in services().board.snapshots()
        if snapshot.camera.id in seen and (concern := _concern(snapshot))
    ]
    for alert in visible_alerts(services().alerts.open()):
        if alert.acknowledged is None:
            words = f"{KIND_WORDS[alert.kind]}: {alert.current_words or alert.words}"
            found.append(Concern(alert.camera, url_for("alert_pages.alerts"), words))
    return found


def _concern(snapshot: CameraSnapshot) -> Concern | None:
    if snapshot.status.state == "disabled":
        return None
    words = snapshot.reason()
    if not words and snapshot.quality.problems:
        problems = ", ".join(PROBLEM_WORDS[name].lower() for name in snapshot.quality.problems)
        words = f"Unreliable picture ({problems}): counts are not valid."
    if not words:
        return None
    camera = snapshot.camera
    return Concern(camera.name, url_for("pages.camera", camera_id=camera.id), words)


def _extremes(cameras: Sequence[CameraSummary], best: bool) -> list[CameraSummary]:
    known = [one for one in cameras if one.period.rate.people >= ENOUGH_PEOPLE]
    ranked = sorted(known, key=lambda one: one.period.rate.rate or 0.0, reverse=best)
    return ranked[: min(BEST, len(known) // 2)]


def _span_words(point: Point, found: Overview) -> str:
    ends = (datetime.fromtimestamp(at_s, found.zone) for at_s in (point.from_s, point.to_s))
    return " to ".join(f"{end:%a} {end.day} {end:%b %Y %H:%M}" for end in ends)


@blueprint.app_template_filter()
def percent_words(share: float | None) -> str:
    """Return a share as `63.2 %`; a dash where it is not known."""
    return UNKNOWN if share is None else f"{share * 100:.1f} %"


@blueprint.app_template_filter()
def interval_words(rate: MaskRate) -> str:
    """Return a rate's interval as `61 to 66`, in percent."""
    if rate.low is None or rate.high is None:
        return ""
    return f"{rate.low * 100:.0f} to {rate.high * 100:.0f}"


@blueprint.app_template_filter()
def corrected_words(rate: CorrectedRate) -> str:
    """Return a corrected rate's interval as `61 to 66, not audited`, in percent."""
    if rate.low is None or rate.high is None:
        return ""
    interval = f"{rate.low * 100:.0f} to {rate.high * 100:.0f}"
    return interval if rate.audited else f"{interval}, not audited"


@blueprint.app_template_filter()
def hours_words(seconds: float) -> str:
    """Return a time as `3 min` or `12.5 h`."""
    if seconds < 1:
        return "none"
    return (
        f"{max(1, round(seconds / 60))} min" if seconds < HOUR_S else f"{seconds / HOUR_S:,.1f} h"
    )


@blueprint.app_template_filter()
def everyone(point: Point) -> int:
    """Return all people counted, whatever their verdict."""
    return sum(point.people.values())


@blueprint.app_template_filter()
def people_change(compared: Compared) -> str:
    """Return the change of people counted against the period before, as `12 % more`."""
    now, then = everyone(compared.period), everyone(compared.before)
    if compared.before.is_gap or compared.period.is_gap or not then:
        return ""
    change = round((now / then - 1) * 100)
    return "as many" if not change else f"{abs(change):,} % {'more' if change > 0 else 'fewer'}"


@blueprint.app_template_filter()
def rate_change(compared: Compared) -> str:
    """Return the change of the rate, as `+3.1 points`."""
    now, then = compared.period.rate.rate, compared.before.rate.rate
    if now is None or then is None:
        return ""
    points = round((now - then) * 100, 1)
    return f"{points:+.1f} points" if points else "no change"
