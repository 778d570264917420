"""What a recording's people add up to: in all, and in each part of its time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from contract.people.compliance import mask_rate
from contract.people.verdicts import VERDICTS, Verdict
from dashboard.try_it.answers import RecordedCounts, RecordedStep, RecordingReport
from dashboard.web.answers import Rate

STEPS_S: Final = (5, 10, 30, 60, 300, 600)
MOST_STEPS: Final = 24


def report_of(found: Mapping[str, Any]) -> RecordingReport:
    """The report of `worker.uploads.recordings` with its totals, its steps, and how fast it was."""
    duration_s, people = found["duration_s"], found["people"]
    step_s = next((s for s in STEPS_S if duration_s <= s * MOST_STEPS), STEPS_S[-1])
    steps = [
        RecordedStep(
            from_s=number * step_s,
            to_s=min(duration_s, (number + 1) * step_s),
            **dict(_counted([p for p in people if _step(p, step_s, duration_s) == number])),
        )
        for number in range(max(1, math.ceil(duration_s / step_s)))
    ]
    speed = round(duration_s / found["took_s"], 2) if found["took_s"] else None
    more = {"times_real_time": speed, "total": _counted(people), "steps": steps}
    return RecordingReport.model_validate({**found, **more})


def _step(person: dict[str, Any], step_s: int, duration_s: float) -> int:
    """The step in which a person was last seen; the very end belongs to the last."""
    return int(min(person["last_seen_s"], max(0.0, duration_s - 1e-3)) // step_s)


def _counted(people: Sequence[dict[str, Any]]) -> RecordedCounts:
    counts: dict[Verdict, int] = {
        verdict: sum(person["verdict"] == verdict for person in people) for verdict in VERDICTS
    }
    return RecordedCounts(people=counts, compliance=Rate.of(mask_rate(counts)))
