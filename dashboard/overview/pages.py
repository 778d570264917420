"""The overview of a period: the first page that tells how all cameras did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Blueprint, render_template, request, url_for

from contract.alerts.rules import KIND_WORDS
from contract.cameras.quality import PROBLEM_WORDS
from dashboard.accounts.access import requires
from dashboard.alerts.rights import visible_alerts
from dashboard.live.board import CameraSnapshot
from dashboard.overview.query import Overview, PeriodQuery, overview
from dashboard.services import services
from dashboard.web.requests import query
from reports.named_periods import PeriodName
from reports.periods import CameraSummary
from reports.report import Point
from reports.words import (
    corrected_words,
    everyone,
    hours_words,
    interval_words,
    invalid_words,
    people_change,
    percent_words,
    rate_change,
)

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


for _words in (
    corrected_words,
    everyone,
    hours_words,
    interval_words,
    invalid_words,
    people_change,
    percent_words,
    rate_change,
):
    blueprint.add_app_template_filter(_words)
