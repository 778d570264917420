"""A week or month of some cameras, and what limits its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bus.stores.history import HistoryStore
from contract.cameras.camera import Camera
from contract.cameras.quality import PROBLEM_WORDS
from contract.people.corrected_rate import AuditCounts
from contract.people.minutes import MINUTE_S
from reports.periods import PeriodSummary, summarise
from reports.report import Point
from reports.span import ReportSpan
from reports.words import hours_words, percent_words

MOST_NAMED: Final = 3
"""Most cameras that a limit names."""
LEAST_SHARE: Final = 0.005
"""Share of a camera's time from which a limit names the camera."""


@dataclass(frozen=True)
class CameraShare:
    """A share of one camera's time."""

    camera: str
    share: float


@dataclass(frozen=True)
class Limit:
    """Something that a reader of the figures must know."""

    title: str
    words: str
    most: tuple[CameraShare, ...] = ()
    """The cameras that it concerns most, worst first."""


@dataclass(frozen=True)
class PeriodReport:
    """The figures of a week or month, from one moment."""

    span: ReportSpan
    group: str
    """Empty for all cameras that the reader may see."""
    zone: ZoneInfo
    made_at_s: float
    summary: PeriodSummary

    @property
    def scope(self) -> str:
        return self.group or "All cameras"

    @property
    def title(self) -> str:
        return f"Mask report: {self.span.title()}"

    @property
    def file_stem(self) -> str:
        return f"{self.scope} {self.span.name}"

    @property
    def is_over(self) -> bool:
        return self.made_at_s >= self.span.edges(self.zone)[1]

    @property
    def made_words(self) -> str:
        return f"{datetime.fromtimestamp(self.made_at_s, self.zone):%Y-%m-%d %H:%M} ({self.zone})"

    def limits(self) -> list[Limit]:
        """Return what was invalid, missing, without a verdict and not audited."""
        return list(_limits(self))


def make_period_report(
    history: HistoryStore,
    cameras: Sequence[Camera],
    audits: Mapping[str, AuditCounts],
    span: ReportSpan,
    group: str,
    zone: ZoneInfo,
    now_s: float,
) -> PeriodReport:
    """Add up a week or month of `cameras`. One that still runs ends with the present minute.

    audits: by camera's id.

    Raises:
        QueryError: it has not begun, or there are too many cameras.
        HistoryNotSummedError: after an upgrade, older days are still being added up.
    """
    from_s, to_s = span.edges(zone)
    found = summarise(history, cameras, audits, from_s, min(to_s, now_s + MINUTE_S), zone, now_s)
    return PeriodReport(span, group, zone, now_s, found)


def _limits(report: PeriodReport) -> Iterator[Limit]:
    whole, cameras = report.summary.period, report.summary.cameras
    if not report.is_over:
        yield Limit("Not over", f"The {report.span.kind} still runs: figures until now.")
    worst = _worst(report, lambda point: sum(point.invalid_s.values()))
    yield Limit("Unreliable picture", _unreliable(whole), worst)
    missing = f"{_of(whole.missing_s, whole)}. Nobody was counted meanwhile."
    yield Limit("Not analysed", missing, _worst(report, lambda point: point.missing_s))
    unknown = whole.people["unknown"]
    if whole.unknown_share is not None:
        words = f"{unknown:,} of the people counted ({percent_words(whole.unknown_share)})"
        yield Limit("Without a verdict", f"{words}. They are not part of the rate.")
    unaudited = [one.camera.name for one in cameras if not one.period.audited]
    if unaudited:
        yield Limit("Not audited", _not_audited(len(unaudited), len(cameras)))
    if len(cameras) > 1:
        yield Limit("Counted twice", "Somebody who passes two cameras is counted at both.")


def _unreliable(whole: Point) -> str:
    invalid_s = sum(whole.invalid_s.values())
    if invalid_s < 1:
        return "None."
    problems = ", ".join(
        f"{_problem(name)} {hours_words(amount_s)}" for name, amount_s in whole.invalid_s.items()
    )
    return (
        f"{_of(invalid_s, whole)}: {problems}. "
        "Counts of these hours are in the figures and may be wrong."
    )


def _not_audited(unaudited: int, cameras: int) -> str:
    every = "all" if unaudited == cameras else f"{unaudited:,} of"
    which = "The one camera" if cameras == 1 else f"{_capital(every)} {cameras:,} cameras"
    return (
        f"{which}: nobody has compared verdicts with what people see there. "
        "The corrected rate takes the errors of other films."
    )


def _problem(name: str) -> str:
    words = {str(problem): words for problem, words in PROBLEM_WORDS.items()}
    return words.get(name, name).lower()


def _of(amount_s: float, whole: Point) -> str:
    if amount_s < 1 or not whole.watched_s:
        return "None"
    share = percent_words(amount_s / whole.watched_s)
    return f"{hours_words(amount_s)} of {hours_words(whole.watched_s)} ({share})"


def _worst(report: PeriodReport, amount_s: Callable[[Point], float]) -> tuple[CameraShare, ...]:
    cameras = report.summary.cameras
    if len(cameras) == 1:
        return ()
    shares = [
        CameraShare(one.camera.name, amount_s(one.period) / one.period.watched_s)
        for one in cameras
        if one.period.watched_s
    ]
    ranked = sorted(shares, key=lambda one: one.share, reverse=True)
    return tuple(one for one in ranked[:MOST_NAMED] if one.share >= LEAST_SHARE)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
