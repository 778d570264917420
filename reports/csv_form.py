"""A report as CSV: all cameras, each group, each camera and each day, in one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from contract.people.compliance import MaskRate
from contract.people.corrected_rate import CorrectedRate
from contract.people.verdicts import VERDICTS
from contract.plain_text import guarded
from reports.document import PeriodReport
from reports.periods import Compared
from reports.report import Point
from reports.week import DaySums

RATE: Final = ("judged", "rate", "rate_low", "rate_high", "unknown_share")
TIMES: Final = ("watched_s", "analysed_s", "missing_s", "invalid_s")
FIGURES: Final = (*VERDICTS, *RATE, *TIMES)
BEFORE: Final = tuple(f"{name}_before" for name in FIGURES)
CORRECTION: Final = ("corrected_rate", "corrected_low", "corrected_high", "audited")
COLUMNS: Final = ("row", "group", "camera", "from", "to", *FIGURES, *CORRECTION, *BEFORE)
"""`row` is `total`, `group`, `camera` or `day`. A cell that nobody can know is empty."""


def report_csv(report: PeriodReport) -> str:
    """Return the table. Times are local, in RFC 3339."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(_rows(report))
    return text.getvalue()


def _rows(report: PeriodReport) -> Iterator[dict[str, object]]:
    summary = report.summary
    yield _row(report, "total", summary) | {"group": guarded(report.group)}
    for group in summary.groups:
        yield _row(report, "group", group) | {"group": guarded(group.group)}
        for one in group.cameras:
            names = {"group": guarded(group.group), "camera": guarded(one.camera.name)}
            yield _row(report, "camera", one) | names
    for day in summary.days:
        people = _people(day)
        yield {"row": "day", **_ends(report, day.from_s, day.to_s), **people}


def _row(report: PeriodReport, kind: str, compared: Compared) -> dict[str, object]:
    point, before = compared.period, compared.before
    return {
        "row": kind,
        **_ends(report, point.from_s, point.to_s),
        **_figures(point),
        **_correction(compared.corrected),
        **{f"{name}_before": value for name, value in _figures(before).items()},
    }


def _figures(point: Point) -> dict[str, object]:
    times = (
        *(point.watched_s, point.analysed_s, point.missing_s),
        sum(point.invalid_s.values()),
    )
    return _people(point) | {
        name: round(value, 3) for name, value in zip(TIMES, times, strict=True)
    }


def _correction(found: CorrectedRate) -> dict[str, object]:
    if found.rate is None:
        return {}
    cells = (_cell(found.rate), _cell(found.low), _cell(found.high), str(found.audited).lower())
    return dict(zip(CORRECTION, cells, strict=True))


def _people(counted: Point | DaySums) -> dict[str, object]:
    if counted.is_gap:
        return {}
    rate: MaskRate = counted.rate
    everyone = sum(counted.people.values())
    unknown = counted.people["unknown"] / everyone if everyone else None
    shares = (rate.rate, rate.low, rate.high, unknown)
    cells = [rate.people, *map(_cell, shares)]
    return dict(zip((*VERDICTS, *RATE), (*counted.people.values(), *cells), strict=True))


def _cell(share: float | None) -> object:
    return "" if share is None else round(share, 4)


def _ends(report: PeriodReport, from_s: int, to_s: int) -> dict[str, object]:
    ends = (datetime.fromtimestamp(at_s, report.zone).isoformat() for at_s in (from_s, to_s))
    return dict(zip(("from", "to"), ends, strict=True))
