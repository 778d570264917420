"""The overview of a period as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import tzinfo
from typing import Literal

from flask import Blueprint, Response
from pydantic import Field

from contract.people.verdicts import VERDICTS
from contract.plain_text import guarded
from dashboard.accounts.access import requires
from dashboard.compliance.answers import clock_time
from dashboard.compliance.api import (
    CORRECTION_COLUMNS,
    asked_for_csv,
    correction_cells,
    file_stem,
    share_cell,
)
from dashboard.downloads import save_as
from dashboard.overview.answers import (
    CameraOverview,
    GroupOverview,
    HourOfWeek,
    OverviewAnswer,
    PeriodSums,
    Sums,
)
from dashboard.overview.query import Overview, PeriodQuery, overview
from dashboard.web.answering import answers
from dashboard.web.conditional import tagged
from reports.periods import CameraSummary, Compared, GroupSummary
from reports.report import Point

blueprint = Blueprint("overview_api", __name__, url_prefix="/api/v1/overview")


class OverviewQuery(PeriodQuery):
    """Selects a period and the form of the answer."""

    format: Literal["json", "csv"] | None = Field(
        None, description="Form of the answer; otherwise the header `Accept` decides."
    )


@blueprint.get("")
@requires("viewer")
@answers(csv=True)
def get_overview(query: OverviewQuery) -> OverviewAnswer | Response:
    """Return a period's people, rate, unknown, invalid and missing time, against the period before.

    Group by group, camera by camera, and by hour of the week.
    """
    asked = PeriodQuery.model_validate(query.model_dump(by_alias=True, exclude={"format"}))
    found = overview(asked)
    return _csv(found) if asked_for_csv(query.format) else _answer(found)


def _answer(found: Overview) -> OverviewAnswer:
    return OverviewAnswer(
        **both(found.summary, found.zone),
        tz=str(found.zone),
        groups=[group_answer(group, found.zone) for group in found.summary.groups],
        week=[[HourOfWeek.of(hour) for hour in day] for day in found.summary.week],
    )


def group_answer(group: GroupSummary, zone: tzinfo) -> GroupOverview:
    """Return the answer about a group and its cameras."""
    cameras = [_camera(one, zone) for one in group.cameras]
    return GroupOverview(**both(group, zone), group=group.group, cameras=cameras)


def both(compared: Compared, zone: tzinfo) -> dict[str, Sums]:
    """Return the two fields of every answer about a period and the period before."""
    return {
        "period": PeriodSums.of_both(compared, zone),
        "before": Sums.of(compared.before, zone),
    }


def _camera(one: CameraSummary, zone: tzinfo) -> CameraOverview:
    return CameraOverview(**both(one, zone), id=one.camera.id, name=one.camera.name)


def _csv(found: Overview) -> Response:
    """A row a camera; what nobody can know is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = (*VERDICTS, "rate", "rate_low", "rate_high", "missing_s", "invalid_s")
    before = (f"{name}_before" for name in columns)
    writer.writerow(["group", "camera", "from", "to", *columns, *CORRECTION_COLUMNS, *before])
    for one in found.summary.cameras:
        ends = (clock_time(at_s, found.zone) for at_s in (one.period.from_s, one.period.to_s))
        cells = (*_cells(one.period), *correction_cells(one.corrected), *_cells(one.before))
        names = guarded(one.camera.group), guarded(one.camera.name)
        writer.writerow([*names, *ends, *cells])
    answer = Response(text.getvalue(), mimetype="text/csv")
    stem = file_stem([], found.summary.period, found.zone)
    return tagged(save_as(answer, f"Overview {stem}", ".csv"))


def _cells(point: Point) -> Iterator[object]:
    rate = point.rate
    yield from [""] * len(VERDICTS) if point.is_gap else point.people.values()
    yield from (share_cell(share) for share in (rate.rate, rate.low, rate.high))
    yield round(point.missing_s, 3)
    yield round(sum(point.invalid_s.values()), 3)
