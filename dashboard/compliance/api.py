"""Mask compliance over time, as JSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from flask import Blueprint, Response, request

from contract.cameras.camera import Camera
from contract.errors import CameraNotFoundError
from contract.people.corrected_rate import CorrectedRate
from contract.people.minutes import DROPPED, FACES, FRAMES, MINUTE_S
from contract.people.verdicts import VERDICTS
from dashboard.accounts.access import requires, visible_cameras
from dashboard.compliance.answers import ComplianceAnswer, CompliancePoint, clock_time
from dashboard.compliance.queries import ComplianceQuery
from dashboard.downloads import save_as
from dashboard.services import services
from dashboard.web.answering import answers
from dashboard.web.answers import NamedCamera
from dashboard.web.conditional import tagged
from dashboard.web.time_range import parse_step, parse_time, parse_zone
from reports.report import Point, Report, corrected, make_report
from reports.time_range import DAY_S, cut

LONGEST_NAME: Final = 60
CORRECTION_COLUMNS: Final = ("corrected_rate", "corrected_low", "corrected_high", "audited")

blueprint = Blueprint("compliance_api", __name__, url_prefix="/api/v1/compliance")


@blueprint.get("")
@requires("viewer")
@answers(csv=True)
def compliance(query: ComplianceQuery) -> ComplianceAnswer | Response:
    """Return people by verdict, the mask rate, and the time analysed; by default for 24 hours.

    The answer adds up all selected cameras. A step without analysed frames has null people,
    because a gap does not mean "nobody".
    """
    zone, now_s = parse_zone(query.tz), services().clock()
    # The minute that runs now is in it, as far as it has come.
    to_s = now_s + MINUTE_S if query.to is None else parse_time("to", query.to, zone)
    from_s = to_s - DAY_S if query.from_ is None else parse_time("from", query.from_, zone)
    time_range = cut(from_s, to_s, parse_step(query.step), zone)
    cameras = _cameras(query.camera)
    report = make_report(
        services().history, cameras, services().audits.known_errors(), time_range, now_s
    )
    if asked_for_csv(query.format):
        return _csv(report, zone, [camera.name for camera in cameras] if query.camera else [])
    whole, *steps = corrected([report.total, *report.points])
    return ComplianceAnswer(
        cameras=[NamedCamera(id=camera.id, name=camera.name) for camera in cameras],
        step=query.step,
        tz=str(zone),
        total=CompliancePoint.of(report.total, whole, zone),
        points=[
            CompliancePoint.of(point, rate, zone)
            for point, rate in zip(report.points, steps, strict=True)
        ],
    )


def _cameras(wanted: list[str]) -> list[Camera]:
    """The cameras asked for, by id or name; all that may be seen when none is named."""
    everyone = visible_cameras(services().cameras.all())
    if not wanted or wanted == ["all"]:
        return everyone
    found = {}
    for one in wanted:
        match = [c for c in everyone if one in {c.id, c.name}]
        if not match:
            raise CameraNotFoundError(f"no camera has the id or name {one[:80]!r}")
        found[match[0].id] = match[0]
    return list(found.values())


def asked_for_csv(form: str | None) -> bool:
    """Whether the answer is to be CSV: as `format` says, otherwise as `Accept` does."""
    accepted = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    return form == "csv" if form else accepted == "text/csv"


def _csv(report: Report, zone: tzinfo, names: Sequence[str]) -> Response:
    """One row a step; what nobody can know is an empty cell. Named by cameras and period."""
    problems = list(report.total.invalid_s)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            *("from", "to", *VERDICTS, "judged", "rate", "rate_low", "rate_high", "unknown_share"),
            *CORRECTION_COLUMNS,
            *("faces", "frames_analysed", "frames_dropped"),
            *("watched_s", "analysed_s", "analysed_share", "missing_s"),
            *(f"invalid_s_{problem}" for problem in problems),
        ]
    )
    for point, rate in zip(report.points, corrected(report.points), strict=True):
        writer.writerow(_row(point, rate, problems, zone))
    answer = Response(text.getvalue(), mimetype="text/csv")
    return tagged(save_as(answer, file_stem(names, report.total, zone), ".csv"))


def file_stem(names: Sequence[str], total: Point, zone: tzinfo) -> str:
    """What a file of a report is called: `Gate B12 2026-11-01 to 2026-11-30`."""
    whose = names[0][:LONGEST_NAME] if names else "All cameras"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    # Whole days are named by the last day that is in them, not by the midnight after it.
    begin = datetime.fromtimestamp(total.from_s, zone)
    end = datetime.fromtimestamp(total.to_s, zone)
    is_midnight = (end.hour, end.minute) == (0, 0)
    if begin.date() == end.date() and not is_midnight:
        period = f"{begin:%Y-%m-%d %H.%M} to {end:%H.%M}"
    else:
        last = end - timedelta(minutes=1) if is_midnight else end
        period = f"{begin:%Y-%m-%d} to {last:%Y-%m-%d}"
    return f"{whose}{more} {period}"


def _row(
    point: Point, better: CorrectedRate, problems: Iterable[str], zone: tzinfo
) -> list[object]:
    rate, gap = point.rate, point.is_gap
    counted: list[object] = [*point.people.values(), rate.people]
    return [
        *(clock_time(point.from_s, zone), clock_time(point.to_s, zone)),
        *([""] * len(counted) if gap else counted),
        *(share_cell(share) for share in (rate.rate, rate.low, rate.high, point.unknown_share)),
        *correction_cells(better),
        "" if gap else point.amounts.get(FACES, 0),
        *(point.amounts.get(column, 0) for column in (FRAMES, DROPPED)),
        *(round(point.watched_s, 3), round(point.analysed_s, 3), share_cell(point.analysed_share)),
        round(point.missing_s, 3),
        *(point.invalid_s.get(problem, 0.0) for problem in problems),
    ]


def correction_cells(rate: CorrectedRate) -> list[object]:
    """The cells of `CORRECTION_COLUMNS`."""
    audited = "" if rate.rate is None else str(rate.audited).lower()
    return [*(share_cell(share) for share in (rate.rate, rate.low, rate.high)), audited]


def share_cell(share: float | None) -> object:
    """A share in four decimal places; empty where it is not known."""
    return "" if share is None else round(share, 4)
