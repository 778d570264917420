"""A report about cameras that the client may see, for the page and the API."""

from __future__ import annotations

from pydantic import BaseModel, Field

from contract.errors import QueryError
from dashboard.accounts.access import visible_cameras
from dashboard.services import services
from dashboard.web.time_range import parse_zone
from reports.document import PeriodReport, make_period_report
from reports.span import last_whole, parse_span


class ReportQuery(BaseModel):
    """Selects a report."""

    span: str | None = Field(
        None,
        description="A week such as `2026-W48` or a month such as `2026-11`. Default: the last "
        "whole week.",
    )
    group: str = Field("", max_length=80, description="Only cameras of this group.")
    tz: str = Field("UTC", description="IANA time zone in which days begin.")


def report(query: ReportQuery) -> PeriodReport:
    """Make the report for the cameras that the client may see.

    Raises:
        QueryError: the span has not begun, or the client sees no camera of the group.
        HistoryNotSummedError: after an upgrade, older days are still being added up.
    """
    zone, now_s = parse_zone(query.tz), services().clock()
    span = parse_span(query.span) if query.span else last_whole("week", now_s, zone)
    if span.edges(zone)[0] > now_s:
        raise QueryError(f"span: {span.name} has not begun")
    cameras = visible_cameras(services().cameras.all())
    if query.group:
        cameras = [camera for camera in cameras if camera.group == query.group]
        if not cameras:
            raise QueryError(f"group: you see no camera of {query.group!r}")
    errors = services().audits.known_errors()
    return make_period_report(services().history, cameras, errors, span, query.group, zone, now_s)
