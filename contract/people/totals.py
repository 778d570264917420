"""Names of the totals in Redis, and the layout of a histogram in a hash.

Totals live in Redis, not in processes, so restarting or adding a process changes no total. A
histogram has one field per bucket (not cumulative) and one for the sum; its count is the sum of
the buckets.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FRAME_STAGES: Final = ("captured", "published", "analysed")
AGED_STAGES: Final = ("published", "analysed")

DROP_CAUSES: Final = (
    "not_sampled",
    "unpublished",
    "overflow",
    "stale",
    "undecodable",
    "no_network",
    "malformed",
)
"""Causes for which a captured frame was not analysed.

`not_sampled`: the camera delivers more than `analysis_fps`; `unpublished`: Redis was away or full;
`overflow`: no worker read the frame before the stream was full or expired; `stale`: the frame was
older than the budget when a worker read it; `undecodable`: its JPEG is broken; `no_network`: the
camera needs a face detector that this worker cannot load; `malformed`: a stream entry that is not a
frame (it was never captured, so it is outside the sum).
captured = analysed + dropped (without malformed) + in flight.
"""

REFUSALS: Final = ("lease_lost", "not_newer")
"""Why Redis refused a commit: the camera has another owner, or the frame was committed before."""

AGE_BUCKETS_S: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)
INFERENCE_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
BATCH_BUCKETS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

WORKERS_BUSY: Final = "workers:busy"
"""Field of the networks' totals: seconds for which workers were not waiting for frames."""

FAULT: Final = "fault:"
"""Prefix of the fields of camera faults; the kind follows."""
CROSSED: Final = "crossed:"
"""Prefix of the fields of people who crossed a counting line."""


def frames_field(stage: str) -> str:
    return f"frames:{stage}"


def dropped_field(cause: str) -> str:
    return f"dropped:{cause}"


def refused_field(reason: str) -> str:
    return f"refused:{reason}"


def fault_field(kind: str) -> str:
    return f"{FAULT}{kind}"


def read_fault_field(field: str) -> str:
    """Return the kind in a field of `fault_field`; empty for any other field."""
    return field.removeprefix(FAULT) if field.startswith(FAULT) else ""


def people_field(verdict: str) -> str:
    return f"people:{verdict}"


def discarded_field(cause: str) -> str:
    return f"discarded:{cause}"


def crossed_field(line: str, direction: str, verdict: str) -> str:
    # The line's name comes last: only this part may contain any character.
    return f"{CROSSED}{direction}:{verdict}:{line}"


def read_crossed_field(field: str) -> tuple[str, str, str] | None:
    """Return line, direction and verdict in a field of `crossed_field`; None for any other."""
    if not field.startswith(CROSSED):
        return None
    direction, verdict, line = field.removeprefix(CROSSED).split(":", 2)
    return line, direction, verdict


def age_field(stage: str) -> str:
    return f"age:{stage}"


def inference_field(network: str) -> str:
    return f"{network}:seconds"


def batch_field(network: str) -> str:
    return f"{network}:batch"


class Increments:
    """Amounts that one event adds to a hash of totals."""

    def __init__(self) -> None:
        self._amounts: dict[str, float] = {}

    def add(self, field: str, amount: float = 1.0) -> None:
        """Add `amount` to a counter."""
        if amount:
            self._amounts[field] = self._amounts.get(field, 0.0) + amount

    def observe(self, field: str, bounds: Sequence[float], value: float, times: int = 1) -> None:
        """Add `value` to a histogram, `times` over."""
        index = bisect_left(bounds, value)
        bound = f"{bounds[index]:g}" if index < len(bounds) else "+Inf"
        self.add(f"{field}:le:{bound}", times)
        self.add(f"{field}:sum", value * times)

    def items(self) -> Iterable[tuple[str, float]]:
        """Return fields and amounts."""
        return self._amounts.items()

    def arguments(self) -> list[str]:
        """Return field, amount, field, amount ... as scripts expect them."""
        return [part for field, amount in self._amounts.items() for part in (field, repr(amount))]

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def clear(self) -> None:
        self._amounts.clear()


@dataclass(frozen=True)
class Histogram:
    """A histogram in Prometheus' form: cumulative counts, the last bound `+Inf`."""

    buckets: tuple[tuple[str, float], ...]
    sum: float

    @property
    def count(self) -> float:
        return self.buckets[-1][1]


def read_histogram(totals: Mapping[str, float], field: str, bounds: Sequence[float]) -> Histogram:
    """Return the histogram under `field` in a hash of totals; an empty one if it is absent."""
    running, buckets = 0.0, []
    for bound in (*(f"{bound:g}" for bound in bounds), "+Inf"):
        running += totals.get(f"{field}:le:{bound}", 0.0)
        buckets.append((bound, running))
    return Histogram(tuple(buckets), totals.get(f"{field}:sum", 0.0))


def decode_totals(raw: Mapping[bytes, bytes]) -> dict[str, float]:
    """Decode a hash of totals from Redis into names and numbers."""
    return {field.decode(): float(amount) for field, amount in raw.items()}
