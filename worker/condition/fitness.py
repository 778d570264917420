"""Learns from the people who pass whether masks can be measured at a camera, and if not, why.

Old people fade, so that a camera that was hung better, or whose light was mended, is judged by
how it is now.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract.cameras.quality import Fitness, UnfitReason
from contract.people.verdicts import Verdict

LEAST_PEOPLE: Final = 20
"""People before anything is said: with fewer, a share of 80 % could be anything from 56 to 94 %."""
MEMORY_PEOPLE: Final = 300.0
MEMORY_LOOKS: Final = 1500.0

LEAST_MEDIAN_PX: Final = 24.0
"""Half of the people must come at least this close. Measured on the classifier's validation
faces (model card): 94 to 96 % of those from 16 to 48 px are judged rightly, 81 % below 16; but
below about 20 a mask worn wrongly cannot be told at all, and people are counted as unknown."""
LEAST_LOWER_PX: Final = 20.0
"""And three quarters of them this close, below which nobody is judged."""
DARK_BELOW: Final = 40.0
"""Mean grey value of a face that is too dark to see where a mask ends."""
OBLIQUE_BELOW: Final = 0.4
"""Frontality (see `worker.verdicts.evidence`) of a face turned too far to see nose and mouth."""
BLURRED_BELOW: Final = 0.03
"""Sharpness of a face's crop (see `worker.verdicts.evidence`) without edges to judge by."""
MOST_BAD: Final = 0.5
"""Share of looks with a fault from which the fault is the camera's."""
FAULTS: Final[tuple[UnfitReason, ...]] = ("too_dark", "too_oblique", "too_blurred")
LEAST_JUDGED: Final = 0.8
LEAST_LOOKS: Final = 50

_SMALLEST_PX: Final = 8.0
_BIN: Final = 1.1
_BINS: Final = 48
"""Heights are kept in bins of 10 %, from 8 to 776 px."""


class FitnessLearner:
    """What one camera's people looked like."""

    def __init__(self) -> None:
        self._heights: npt.NDArray[np.float64] = np.zeros(_BINS)
        self._counted = 0
        self._people = 0.0
        self._judged = 0.0
        self._looks = 0.0
        self._faults: npt.NDArray[np.float64] = np.zeros(len(FAULTS))

    def person(self, best_face_px: float, verdict: Verdict) -> None:
        """Take in somebody who was counted."""
        fade = 1.0 - 1.0 / MEMORY_PEOPLE
        self._heights *= fade
        self._heights[_bin_of(best_face_px)] += 1.0
        self._counted = min(self._counted + 1, round(MEMORY_PEOPLE))
        self._people = self._people * fade + 1.0
        self._judged = self._judged * fade + (verdict != "unknown")

    def look(self, brightness: float, frontality: float, sharpness: float) -> None:
        """Take in a face, large enough to judge, that was looked at for its mask."""
        fade = 1.0 - 1.0 / MEMORY_LOOKS
        faults = (brightness < DARK_BELOW, frontality < OBLIQUE_BELOW, sharpness < BLURRED_BELOW)
        self._faults = self._faults * fade + np.array(faults, np.float64)
        self._looks = self._looks * fade + 1.0

    def report(self) -> Fitness:
        """What can be said by now."""
        if not self._counted:
            return Fitness()
        dark, oblique, blurred = self._shares()
        reasons = self._reasons()
        known = self._counted >= LEAST_PEOPLE
        return Fitness(
            verdict="learning" if not known else "unfit" if reasons else "fit",
            reasons=reasons if known else (),
            people=self._counted,
            judged_share=round(self._judged / self._people, 3),
            face_px=self._quartiles(),
            dark_share=dark,
            oblique_share=oblique,
            blurred_share=blurred,
        )

    def encode(self) -> list[Any]:
        """A list of numbers; the histogram without its empty ends."""
        filled = np.flatnonzero(self._heights)
        first, last = (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (0, 0)
        heights = [round(float(part), 3) for part in self._heights[first:last]]
        faults = [round(float(part), 3) for part in self._faults]
        return [
            first,
            heights,
            self._counted,
            round(self._people, 3),
            round(self._judged, 3),
            round(self._looks, 3),
            faults,
        ]

    def restore(self, record: list[Any]) -> None:
        """Go on from what `encode` wrote."""
        first, heights, self._counted, self._people, self._judged, self._looks, faults = record
        self._heights[first : first + len(heights)] = heights
        self._faults[:] = faults

    def _shares(self) -> tuple[float, float, float] | tuple[None, None, None]:
        if self._looks < 1:
            return None, None, None
        dark, oblique, blurred = (round(float(part) / self._looks, 3) for part in self._faults)
        return dark, oblique, blurred

    def _reasons(self) -> tuple[UnfitReason, ...]:
        lower_px, median_px, _ = self._quartiles()
        reasons: list[UnfitReason] = []
        if median_px < LEAST_MEDIAN_PX or lower_px < LEAST_LOWER_PX:
            reasons.append("too_small")
        if self._looks >= LEAST_LOOKS:
            shares = self._faults / self._looks
            reasons += [name for name, part in zip(FAULTS, shares, strict=True) if part > MOST_BAD]
        if not reasons and self._judged / self._people < LEAST_JUDGED:
            reasons.append("too_few_judged")
        return tuple(reasons)

    def _quartiles(self) -> tuple[float, float, float]:
        """Of the heights, in pixels, interpolated within a bin."""
        reached = np.concatenate([[0.0], np.cumsum(self._heights)])
        edges = _SMALLEST_PX * _BIN ** np.arange(_BINS + 1)
        lower, median, upper = np.interp(np.array([0.25, 0.5, 0.75]) * reached[-1], reached, edges)
        return round(float(lower), 1), round(float(median), 1), round(float(upper), 1)


def _bin_of(height_px: float) -> int:
    return int(np.clip(np.log(max(height_px, 1.0) / _SMALLEST_PX) / np.log(_BIN), 0, _BINS - 1))
