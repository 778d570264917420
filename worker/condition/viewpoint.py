"""Tells whether a camera still looks where it used to look.

The picture's edges, averaged over seconds, are compared with a reference averaged over minutes.
People, trains and light change some of the edges, or the strength of all. Turning the camera moves
all of them. Either of two signs is enough:

- the reference fits much better somewhere else (a camera nudged by a few percent of its view);
- the reference fits hardly anywhere any more, while the new view stands still (turned away).

A camera that moves all the time never gets a reference, and so never counts as moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Final

import cv2
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from worker.condition.picture import MAP_HEIGHT, MAP_WIDTH
from worker.saved_state import Amount, Record

FloatArray = npt.NDArray[np.float32]

RECENT_S: Final = 2.0
"""The present view is an average over this long, in which people who walk by are a faint smear."""
REFERENCE_S: Final = 60.0
SETTLED_AFTER_S: Final = 30.0
"""A view becomes the camera's view after it has stayed the same for this long."""
COLUMNS: Final = 8
ROWS: Final = 6
LEAST_EDGES: Final = 1.0
"""Parts of the reference with weaker edges than this (root of the sum of squares) say nothing."""
FITS: Final = 0.5
"""A part of the view is the same as in the reference from this correlation on."""
STANDS: Final = 0.7
"""A part of one frame is the same as in the last seconds' average from this correlation on."""

# Shares of parts; docs/adr/0013 has the distributions behind these.
TURNED_AWAY: Final = 0.35
STILL_THERE: Final = 0.6
STEADY: Final = 0.35
REACH: Final = 6
"""Cells of the 64 x 36 map within which a nudged view is looked for: 9 % of the width."""
NUDGED_BY: Final = 0.12
NUDGED_FIT: Final = 0.7
BACK_BY: Final = 0.06
MAP_SIZE: Final = MAP_HEIGHT * MAP_WIDTH
_QUANTUM: Final = 24.0


@dataclass(frozen=True)
class Comparison:
    """The present view against the reference."""

    same: float
    """Share of parts that fit where they were."""
    steady: float
    """Share of parts in which this frame looks like the last seconds: whether the view stands."""
    gain: float
    """How much better the whole view fits if it is moved a little (difference of correlations)."""
    fit: float
    """The correlation of the whole view in its best place."""

    @property
    def moved(self) -> bool | None:
        """Whether the camera looks elsewhere; None if that is not certain."""
        if self.gain >= NUDGED_BY and self.fit >= NUDGED_FIT:
            return True
        if self.same < TURNED_AWAY:
            return True if self.steady >= STEADY else None
        return False if self.same >= STILL_THERE and self.gain < BACK_BY else None


class KnownView(Record):
    """The view that a camera is known to have: a smear without people."""

    settled_s: Amount
    """For how long it has stayed the same, at most `REFERENCE_S`."""
    levels: Annotated[bytes, Meta(min_length=MAP_SIZE, max_length=MAP_SIZE)]
    """Strength of edges, row by row, in steps of 1 / 24."""

    @property
    def edges(self) -> FloatArray:
        """`(36, 64)` float32."""
        levels = np.frombuffer(self.levels, np.uint8).reshape(MAP_HEIGHT, MAP_WIDTH)
        return levels.astype(np.float32) / _QUANTUM


class Viewpoint:
    """The view a camera has, and the one it is known to have."""

    def __init__(self, known: KnownView | None = None) -> None:
        self._recent: FloatArray | None = None
        self._recent_s = 0.0
        self._reference = known.edges if known else None
        self._settled_s = known.settled_s if known else 0.0

    @property
    def known(self) -> KnownView | None:
        """What a successor needs; None while no view is known."""
        if self._reference is None:
            return None
        levels = np.clip(np.rint(self._reference * _QUANTUM), 0, 255).astype(np.uint8)
        return KnownView(round(self._settled_s, 1), levels.tobytes())

    @property
    def settled(self) -> bool:
        """Whether the camera has a view that it can be moved away from."""
        return self._settled_s >= SETTLED_AFTER_S

    def see(self, edges: FloatArray, step_s: float) -> bool | None:
        """Take in a frame's edges, `(36, 64)`; return whether the camera looks elsewhere.

        None if that is not certain (yet).
        """
        self._recent = _blend(self._recent, edges, step_s, min(RECENT_S, self._recent_s + step_s))
        self._recent_s += step_s
        if self._recent_s < RECENT_S:
            return None
        if self._reference is None:
            self.accept()
            return None
        now = compare(self._reference, self._recent, edges)
        self._learn(now, self._recent, step_s)
        return now.moved if self.settled else None

    def accept(self) -> None:
        """Make the present view the one that the camera is known to have."""
        self._reference, self._settled_s = self._recent, 0.0

    def _learn(self, now: Comparison, recent: FloatArray, step_s: float) -> None:
        # Until it has settled, another view simply replaces the reference.
        if not self.settled and (now.same < STILL_THERE or now.steady < STEADY):
            if now.same < STILL_THERE:
                self.accept()
            return
        if now.same >= STILL_THERE and now.gain < BACK_BY:
            self._settled_s = min(self._settled_s + step_s, REFERENCE_S)
            memory_s = max(RECENT_S, self._settled_s)
            self._reference = _blend(self._reference, recent, step_s, memory_s)


def compare(reference: FloatArray, recent: FloatArray, edges: FloatArray) -> Comparison:
    """Hold the last seconds' edges against the reference, and a frame's against both; (36, 64)."""
    same = _correlations(reference, recent)
    steady = _correlations(recent, edges)
    inner = recent[REACH:-REACH, REACH:-REACH]
    fits = cv2.matchTemplate(reference, inner, cv2.TM_CCOEFF_NORMED)
    best = float(fits.max())
    return Comparison(
        same=float((same >= FITS).mean()) if len(same) else 0.0,
        steady=float((steady >= STANDS).mean()) if len(steady) else 0.0,
        gain=best - float(fits[REACH, REACH]),
        fit=best,
    )


def _correlations(reference: FloatArray, other: FloatArray) -> FloatArray:
    """`(n,)` correlations of the n parts where `reference` has edges."""
    ours, theirs = _parts(reference), _parts(other)
    strength = np.linalg.norm(ours, axis=1)
    told = strength >= LEAST_EDGES
    both = strength * np.linalg.norm(theirs, axis=1)
    return np.asarray(((ours * theirs).sum(axis=1) / np.maximum(both, 1e-6))[told], np.float32)


def _parts(edges: FloatArray) -> FloatArray:
    """`(48, cells)` deviations from each part's mean."""
    height, width = MAP_HEIGHT // ROWS, MAP_WIDTH // COLUMNS
    parts = edges.reshape(ROWS, height, COLUMNS, width).transpose(0, 2, 1, 3)
    flat = parts.reshape(ROWS * COLUMNS, height * width)
    return np.asarray(flat - flat.mean(axis=1, keepdims=True), np.float32)


def _blend(
    before: FloatArray | None, now: FloatArray, step_s: float, memory_s: float
) -> FloatArray:
    """Exponential average over `memory_s`, whatever the steps."""
    if before is None:
        return now
    share = np.float32(1.0 - math.exp(-step_s / max(memory_s, step_s, 1e-3)))
    return np.asarray(before + share * (now - before), np.float32)
