"""Names of the totals kept in Redis, and how a histogram is laid out in a hash.

Totals live in Redis, not in processes, so that restarting or adding a process changes none.
A histogram is one field a bucket (not cumulative) and one for the sum; the count is the
buckets' sum.
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
"""Why a captured frame was not analysed.

`not_sampled` the camera delivers more than `analysis_fps`; `unpublished` Redis was away or
full; `overflow` no worker read it before the stream was full or expired; `stale` older than
the budget when a worker got to it; `undecodable` its JPEG is broken; `no_network` the
camera asks for a face detector that this worker cannot load; `malformed` an entry in
the stream that is not a frame of ours (never captured, so outside the sum).
captured = analysed + dropped (without malformed) + in flight.
"""

REFUSALS: Final = ("lease_lost", "not_newer")
"""Why Redis refused a commit: the camera has another owner, or the frame was committed before."""

AGE_BUCKETS_S: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)
INFERENCE_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
BATCH_BUCKETS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

WORKERS_BUSY: Final = "workers:busy"
"""Field of the networks' totals: seconds that workers were not waiting for frames."""

FAULT: Final = "fault:"
"""How the fields of camera faults begin; the kind follows."""
CROSSED: Final = "crossed:"
"""How the fields of people who crossed a counting line begin."""


def frames_field(stage: str) -> str:
    return f"frames:{stage}"


def dropped_field(cause: str) -> str:
    return f"dropped:{cause}"


def refused_field(reason: str) -> str:
    return f"refused:{reason}"


def fault_field(kind: str) -> str:
    return f"{FAULT}{kind}"


def read_fault_field(field: str) -> str:
    """The kind of a field that `fault_field` made; empty of any other."""
    return field.removeprefix(FAULT) if field.startswith(FAULT) else ""


def people_field(verdict: str) -> str:
    return f"people:{verdict}"


def discarded_field(cause: str) -> str:
    return f"discarded:{cause}"


def crossed_field(line: str, direction: str, verdict: str) -> str:
    # The line's name comes last: it is the only part that may hold anything.
    return f"{CROSSED}{direction}:{verdict}:{line}"


def read_crossed_field(field: str) -> tuple[str, str, str] | None:
    """Line, direction and verdict of a field that `crossed_field` made; None of any other."""
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
    """What one event adds to a hash of totals."""

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
        """Field and amount, for whoever writes them."""
        return self._amounts.items()

    def arguments(self) -> list[str]:
        """Field, amount, field, amount ... as a script takes them."""
        return [part for field, amount in self._amounts.items() for part in (field, repr(amount))]

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def clear(self) -> None:
        self._amounts.clear()


@dataclass(frozen=True)
class Histogram:
    """A histogram as Prometheus wants it: cumulative counts, the last bound `+Inf`."""

    buckets: tuple[tuple[str, float], ...]
    sum: float

    @property
    def count(self) -> float:
        return self.buckets[-1][1]


def read_histogram(totals: Mapping[str, float], field: str, bounds: Sequence[float]) -> Histogram:
    """Return the histogram kept under `field` of a hash of totals; empty when absent."""
    running, buckets = 0.0, []
    for bound in (*(f"{bound:g}" for bound in bounds), "+Inf"):
        running += totals.get(f"{field}:le:{bound}", 0.0)
        buckets.append((bound, running))
    return Histogram(tuple(buckets), totals.get(f"{field}:sum", 0.0))


def decode_totals(raw: Mapping[bytes, bytes]) -> dict[str, float]:
    """Return a hash of totals as Redis gives it, with names and numbers."""
    return {field.decode(): float(amount) for field, amount in raw.items()}
