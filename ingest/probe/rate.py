"""The frame rate of a source, measured while it is probed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from contract.errors import SourceError
from ingest.captured import CapturedFrame
from ingest.sources.rate import FAST_FPS

MEASURED_FRAMES: Final = 25
MEASURED_S: Final = 3.0
SETTLING_S: Final = 0.5
"""A server first sends what it buffered, all at once."""
LONGEST_STEP_S: Final = 10.0
"""Timestamps further apart have jumped."""
NEAR_SHARE: Final = 1 / 3
"""Largest relative difference at which a measured rate counts as the declared one: a few frames
are no more exact."""


def rate_of(declared: float, first: CapturedFrame, frames: Iterator[CapturedFrame]) -> float:
    """Return frames per second: as declared, unless they measure plainly different.

    0 if neither is known. A source without timestamps that sends faster than any camera is a file,
    and its rate is not known either.
    """
    shown = _some(first, frames)
    by_stamps = _rate_of_stamps(shown)
    measured = by_stamps or _rate_of_arrivals(shown)
    if not by_stamps and measured > FAST_FPS:
        measured = 0.0
    near = measured and abs(measured - declared) <= declared * NEAR_SHARE
    return declared if near or not measured else measured


def _some(first: CapturedFrame, frames: Iterator[CapturedFrame]) -> list[CapturedFrame]:
    ends_at, shown = time.monotonic() + MEASURED_S, [first]
    with contextlib.suppress(SourceError):  # the picture is there already
        for frame in frames:
            shown.append(frame)
            enough = len(shown) > MEASURED_FRAMES
            settled = frame.timestamp_s is not None or frame.time_s > first.time_s + 2 * SETTLING_S
            if (enough and settled) or time.monotonic() > ends_at:
                break
    return shown


def _rate_of_stamps(shown: Sequence[CapturedFrame]) -> float:
    """Return the rate by the stream's own time; 0 if it has none."""
    stamps = [frame.timestamp_s for frame in shown if frame.timestamp_s is not None]
    steps = [after - before for before, after in pairwise(stamps)]
    steps = [step for step in steps if 0 < step < LONGEST_STEP_S]
    return len(steps) / sum(steps) if steps else 0.0


def _rate_of_arrivals(shown: Sequence[CapturedFrame]) -> float:
    settled_s = shown[0].time_s + SETTLING_S
    times = [frame.time_s for frame in shown if frame.time_s > settled_s]
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
