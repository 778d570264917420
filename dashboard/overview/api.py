"""The overview of a period as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import tzinfo
from typing import Literal, Self

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from contract.people.verdicts import VERDICTS
from dashboard.accounts.access import requires
from dashboard.cameras.file.csv_form import guarded
from dashboard.compliance.answers import clock_time
from dashboard.compliance.api import asked_for_csv, file_stem
from dashboard.compliance.periods import CameraSummary, Compared
from dashboard.compliance.report import Point
from dashboard.compliance.week import WeekHour
from dashboard.downloads import save_as
from dashboard.overview.query import Overview, PeriodQuery, overview
from dashboard.web.answering import answers
from dashboard.web.answers import Counts, Rate
from dashboard.web.conditional import tagged

blueprint = Blueprint("overview_api", __name__, url_prefix="/api/v1/overview")


class OverviewQuery(PeriodQuery):
    """Selects a period and the form of the answer."""

    format: Literal["json", "csv"] | None = Field(
        None, description="Form of the answer; otherwise the header `Accept` decides."
    )


class Sums(BaseModel):
    """One span. People and rate are null if no frame was analysed in it."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    from_s: int
    to_s: int
    people: Counts | None
    compliance: Rate | None
    unknown_share: float | None
    watched_s: float = Field(description="Seconds in which the cameras were there, together.")
    analysed_s: float
    missing_s: float = Field(description="`watched_s` - `analysed_s`.")
    invalid_s: dict[str, float] = Field(description="Seconds with an unreliable picture.")

    @classmethod
    def of(cls, point: Point, zone: tzinfo) -> Self:
        """A span, its ends told by the clocks of `zone`."""
        gap, unknown = point.is_gap, point.unknown_share
        return cls(
            from_=clock_time(point.from_s, zone),
            to=clock_time(point.to_s, zone),
            from_s=point.from_s,
            to_s=point.to_s,
            people=None if gap else point.people,
            compliance=None if gap else Rate.of(point.rate),
            unknown_share=None if gap or unknown is None else round(unknown, 4),
            watched_s=round(point.watched_s, 3),
            analysed_s=round(point.analysed_s, 3),
            missing_s=round(point.missing_s, 3),
            invalid_s=point.invalid_s,
        )


class Both(BaseModel):
    """The period, and the period before."""

    period: Sums
    before: Sums


class CameraOverview(Both):
    """One camera."""

    id: str
    name: str


class GroupOverview(Both):
    """A group of cameras. Somebody who passes two of them counts at both."""

    group: str = Field(description="Empty for cameras without a group.")
    cameras: list[CameraOverview]


class HourOfWeek(BaseModel):
    """One hour of the week, all its occurrences in the period together."""

    people: Counts | None
    compliance: Rate | None

    @classmethod
    def of(cls, hour: WeekHour) -> Self:
        """An hour; null where nothing was analysed."""
        if hour.is_gap:
            return cls(people=None, compliance=None)
        return cls(people=dict(hour.people), compliance=Rate.of(hour.rate))


class OverviewAnswer(Both):
    """All cameras together. Somebody who passes two of them counts at both."""

    tz: str
    groups: list[GroupOverview]
    week: list[list[HourOfWeek]] = Field(description="Monday to Sunday, hours 0 to 23 of `tz`.")


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
        **_both(found.summary, found.zone),
        tz=str(found.zone),
        groups=[
            GroupOverview(
                **_both(group, found.zone),
                group=group.group,
                cameras=[_camera(one, found.zone) for one in group.cameras],
            )
            for group in found.summary.groups
        ],
        week=[[HourOfWeek.of(hour) for hour in day] for day in found.summary.week],
    )


def _both(compared: Compared, zone: tzinfo) -> dict[str, Sums]:
    return {"period": Sums.of(compared.period, zone), "before": Sums.of(compared.before, zone)}


def _camera(one: CameraSummary, zone: tzinfo) -> CameraOverview:
    return CameraOverview(**_both(one, zone), id=one.camera.id, name=one.camera.name)


def _csv(found: Overview) -> Response:
    """A row a camera; what nobody can know is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    columns = (*VERDICTS, "rate", "rate_low", "rate_high", "missing_s", "invalid_s")
    before = (f"{name}_before" for name in columns)
    writer.writerow(["group", "camera", "from", "to", *columns, *before])
    for one in found.summary.cameras:
        ends = (clock_time(at_s, found.zone) for at_s in (one.period.from_s, one.period.to_s))
        cells = (*_cells(one.period), *_cells(one.before))
        names = guarded(one.camera.group), guarded(one.camera.name)
        writer.writerow([*names, *ends, *cells])
    answer = Response(text.getvalue(), mimetype="text/csv")
    stem = file_stem([], found.summary.period, found.zone)
    return tagged(save_as(answer, f"Overview {stem}", ".csv"))


def _cells(point: Point) -> Iterator[object]:
    rate = point.rate
    yield from [""] * len(VERDICTS) if point.is_gap else point.people.values()
    yield from ("" if one is None else round(one, 4) for one in (rate.rate, rate.low, rate.high))
    yield round(point.missing_s, 3)
    yield round(sum(point.invalid_s.values()), 3)
