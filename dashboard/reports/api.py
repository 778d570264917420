"""A report as JSON, CSV or PDF."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from flask import Blueprint, Response
from gevent import get_hub, monkey
from pydantic import Field

from dashboard.accounts.access import requires
from dashboard.compliance.api import asked_for_csv
from dashboard.downloads import save_as
from dashboard.overview.api import both, group_answer
from dashboard.reports.answers import DayAnswer, LimitAnswer, ReportAnswer
from dashboard.reports.query import ReportQuery, report
from dashboard.web.answering import answers
from dashboard.web.conditional import tagged
from reports.csv_form import report_csv
from reports.document import PeriodReport
from reports.pdf import report_pdf

blueprint = Blueprint("report_api", __name__, url_prefix="/api/v1/reports")


class ReportFileQuery(ReportQuery):
    """Selects a report and its form."""

    format: Literal["json", "csv", "pdf"] | None = Field(
        None, description="Form of the answer; otherwise the header `Accept` decides."
    )


@blueprint.get("")
@requires("viewer")
@answers(csv=True, media="application/pdf")
def get_report(query: ReportFileQuery) -> ReportAnswer | Response:
    """Return a week or month: people, rate, and what was invalid, missing and not audited.

    For all cameras, group by group, camera by camera, and day by day; against the one before.
    """
    found = report(ReportQuery.model_validate(query.model_dump(exclude={"format"})))
    if asked_for_csv(query.format):
        answer = Response(report_csv(found), mimetype="text/csv")
        return tagged(save_as(answer, found.file_stem, ".csv"))
    if query.format == "pdf":
        made = _beside_other_requests(lambda: report_pdf(found))
        return save_as(Response(made, mimetype="application/pdf"), found.file_stem, ".pdf")
    return _answer(found)


def _answer(found: PeriodReport) -> ReportAnswer:
    summary, zone = found.summary, found.zone
    return ReportAnswer(
        **both(summary, zone),
        span=found.span.name,
        kind=found.span.kind,
        group=found.group,
        tz=str(zone),
        is_over=found.is_over,
        limits=[LimitAnswer.model_validate(limit) for limit in found.limits()],
        days=[DayAnswer.of(day, zone) for day in summary.days],
        groups=[group_answer(group, zone) for group in summary.groups],
    )


def _beside_other_requests(work: Callable[[], bytes]) -> bytes:
    """Work in a real thread where greenlets serve: a long table takes seconds."""
    if not monkey.is_module_patched("threading"):
        return work()
    return bytes(get_hub().threadpool.apply(work))
