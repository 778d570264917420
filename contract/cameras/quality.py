"""A worker's report on a camera's picture: whether its statistics are reliable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from contract.messages import Count, Moment, Pixels, Share, checked, read_versioned, to_json

Problem = Literal["black", "covered", "frozen", "moved", "blurred"]

PROBLEMS: Final[tuple[Problem, ...]] = ("black", "covered", "frozen", "moved", "blurred")
"""`black`: almost no light; `covered`: light but no detail; `frozen`: the same picture again and
again; `moved`: another view than the learnt one; `blurred`: too little detail for faces.

If a picture has several problems at once, a minute's invalid time counts under the first.
"""

PROBLEM_WORDS: Final[dict[Problem, str]] = {
    "black": "Picture black",
    "covered": "Camera covered",
    "frozen": "Picture frozen",
    "moved": "Camera moved",
    "blurred": "Picture blurred",
}
"""The problems as users read them; the dashboard adds the time of their beginning."""

FitnessStatus = Literal["learning", "fit", "unfit"]
"""`learning`: too few people have passed to tell."""

UnfitReason = Literal["too_small", "too_dark", "too_oblique", "too_blurred", "too_few_judged"]
UNFIT_REASONS: Final[tuple[UnfitReason, ...]] = (
    "too_small",
    "too_dark",
    "too_oblique",
    "too_blurred",
    "too_few_judged",
)

SCHEMA: Final = 2


@dataclass(frozen=True)
class Fitness:
    """Whether masks can be measured at a camera, from the last few hundred people who passed.

    Shares are 0 to 1; shares of faces are None before the first face was classified.
    """

    status: FitnessStatus = "learning"
    reasons: tuple[UnfitReason, ...] = ()
    """Why masks cannot be measured here; empty unless `unfit`."""
    people: Count = 0
    """Number of people behind these figures."""
    judged_share: Share | None = None
    """Share of them with a verdict other than `unknown`."""
    face_px: tuple[Pixels, Pixels, Pixels] | None = None
    """Lower quartile, median and upper quartile of people's largest face height, in pixels."""
    dark_share: Share | None = None
    oblique_share: Share | None = None
    blurred_share: Share | None = None


@dataclass(frozen=True)
class QualityReport:
    """The problems of a camera's picture now, and whether masks can be measured there at all."""

    problems: Mapping[Problem, Moment] = field(default_factory=dict)
    """Each current problem, in the order of `PROBLEMS`, and its beginning in seconds since the
    epoch."""
    fitness: Fitness = field(default_factory=Fitness)

    @property
    def problem(self) -> Problem | None:
        """The first problem, where only one can be named; None while counts are valid."""
        return next(iter(self.problems), None)

    def encode(self) -> str:
        return to_json({"v": SCHEMA, "problems": self.problems, "fitness": asdict(self.fitness)})

    @classmethod
    def decode(cls, raw: bytes | str) -> QualityReport:
        """Read a report of this version or the one before; else raise `MessageError`."""
        read = checked(_ADAPTER, read_versioned(raw, SCHEMA, _WHAT, _report_1), _WHAT)
        in_order = {name: read.problems[name] for name in PROBLEMS if name in read.problems}
        return cls(in_order, read.fitness)


def _report_1(record: dict[str, Any]) -> dict[str, Any]:
    """Return a report of version 1 as one of version 2. Delete this with the next version."""
    fitness = record.get("fitness")
    if isinstance(fitness, dict) and "verdict" in fitness:
        fitness = {**fitness, "status": fitness["verdict"]}
    return {**record, "fitness": fitness}


_WHAT: Final = "a camera's quality"
_ADAPTER: Final = TypeAdapter(QualityReport)
