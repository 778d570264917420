"""The page of a report."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, url_for

from contract.alerts.report_schedules import SpanKind
from dashboard.accounts.access import requires, visible_cameras
from dashboard.reports.query import ReportQuery, report
from dashboard.services import services
from dashboard.web.requests import query
from reports.chart import day_labels, day_marks
from reports.document import PeriodReport
from reports.span import SPAN_KINDS, ReportSpan, last_whole, span_of

blueprint = Blueprint("report_pages", __name__, url_prefix="/reports")


@blueprint.get("")
@requires("viewer")
def show() -> str:
    """Show a week or month, with what limits its figures."""
    found = report(query(ReportQuery))
    summary, marks = found.summary, day_marks(found)
    groups = {camera.group for camera in visible_cameras(services().cameras.all())}
    following = found.span.following
    return render_template(
        "report.html",
        found=found,
        summary=summary,
        marks=marks,
        labels=day_labels(found, marks),
        groups=sorted(groups - {""}),
        kinds={kind: _address(found, _instead(found, kind)) for kind in SPAN_KINDS},
        earlier=_address(found, found.span.previous),
        later=_address(found, following) if _has_begun(found, following) else "",
        files={form: _file(found, form) for form in ("pdf", "csv")},
        at_the_time={"from": summary.period.from_s, "to": summary.period.to_s},
    )


def _address(found: PeriodReport, span: ReportSpan) -> str:
    return url_for("report_pages.show", **_parts(found) | {"span": span.name})


def _file(found: PeriodReport, form: str) -> str:
    return url_for("report_api.get_report", **_parts(found), format=form)


def _parts(found: PeriodReport) -> dict[str, Any]:
    parts = {"span": found.span.name, "group": found.group, "tz": str(found.zone)}
    return {name: value for name, value in parts.items() if value}


def _instead(found: PeriodReport, kind: SpanKind) -> ReportSpan:
    """Return the week or month with the same days, or the last whole one if that still runs."""
    same, newest = span_of(kind, found.span.last), last_whole(kind, found.made_at_s, found.zone)
    return min(same, newest, key=lambda span: span.first)


def _has_begun(found: PeriodReport, span: ReportSpan) -> bool:
    return span.edges(found.zone)[0] <= found.made_at_s
