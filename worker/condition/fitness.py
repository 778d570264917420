"""Learns from the people who pass whether masks can be measured at a camera, and if not, why.

Older people count for less, so that a camera is judged by its present place and light.
"""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from msgspec import Meta, field

from contract.cameras.quality import Fitness, UnfitReason
from contract.people.verdicts import Verdict
from worker.saved_state import Amount, Count, Record

LEAST_PEOPLE: Final = 20
"""Least people to judge a camera by. With fewer, a share of 80 % could be from 56 to 94 %."""
MEMORY_PEOPLE: Final = 300.0
"""Each new person makes all older ones count for this fraction less."""
MEMORY_LOOKS: Final = 1500.0
"""The same for looks."""

LEAST_MEDIAN_PX: Final = 24.0
"""Least median height of people's faces. Of the classifier's validation faces, 94 to 96 % from 16
to 48 px are judged correctly, and 81 % below 16 px (model card). Below about 20 px nobody can see
whether a mask is worn incorrectly, and people count as unknown."""
LEAST_LOWER_PX: Final = 20.0
"""Least lower quartile of the heights. Smaller faces are not judged."""
DARK_BELOW: Final = 40.0
"""Mean grey value of a face that is too dark to see where a mask ends."""
OBLIQUE_BELOW: Final = 0.4
"""Frontality (see `worker.verdicts.evidence`) of a face turned too far to see nose and mouth."""
BLURRED_BELOW: Final = 0.03
"""Sharpness of a face's crop (see `worker.verdicts.evidence`) without edges to judge by."""
MOST_BAD: Final = 0.5
"""A camera has a fault if more than this share of looks have it."""
FAULTS: Final[tuple[UnfitReason, ...]] = ("too_dark", "too_oblique", "too_blurred")
LEAST_JUDGED: Final = 0.8
LEAST_LOOKS: Final = 50

_SMALLEST_PX: Final = 8.0
_BIN: Final = 1.1
BINS: Final = 48
"""Heights are kept in bins of 10 %, from 8 to 776 px."""
DIGITS: Final = 6
"""Decimals kept of each bin. With 3, a bin below 0.15 people would never fade."""


class FitnessState(Record):
    """Statistics of one camera's people and looks. Older ones count for less."""

    heights: Annotated[list[Amount], Meta(min_length=BINS, max_length=BINS)] = field(
        default_factory=lambda: [0.0] * BINS
    )
    """People by the height of their face where it was largest."""
    counted: Count = 0
    """Number of people without fading, up to `MEMORY_PEOPLE`."""
    people: Amount = 0.0
    judged: Amount = 0.0
    """Number of `people` with a verdict."""
    looks: Amount = 0.0
    faults: tuple[Amount, Amount, Amount] = (0.0, 0.0, 0.0)
    """Number of `looks` with each of `FAULTS`."""


class FitnessLearner:
    """Learns from one camera's people and looks."""

    def __init__(self, state: FitnessState | None = None) -> None:
        """Continue from `state`, which the learner then owns; without one, start afresh."""
        self.state = state or FitnessState()

    def person(self, best_face_px: float, verdict: Verdict) -> None:
        """Add a counted person."""
        state, fade = self.state, 1.0 - 1.0 / MEMORY_PEOPLE
        state.heights = np.round(np.array(state.heights) * fade, DIGITS).tolist()
        state.heights[_bin_of(best_face_px)] += 1.0
        state.counted = min(state.counted + 1, round(MEMORY_PEOPLE))
        state.people = state.people * fade + 1.0
        state.judged = state.judged * fade + (verdict != "unknown")

    def look(self, brightness: float, frontality: float, sharpness: float) -> None:
        """Add a look at a face that is large enough to judge."""
        state, fade = self.state, 1.0 - 1.0 / MEMORY_LOOKS
        dark, oblique, blurred = state.faults
        state.faults = (
            dark * fade + (brightness < DARK_BELOW),
            oblique * fade + (frontality < OBLIQUE_BELOW),
            blurred * fade + (sharpness < BLURRED_BELOW),
        )
        state.looks = state.looks * fade + 1.0

    def report(self) -> Fitness:
        """Return the fitness by now."""
        if not self.state.counted:
            return Fitness()
        dark, oblique, blurred = self._shares()
        reasons = self._reasons()
        known = self.state.counted >= LEAST_PEOPLE
        return Fitness(
            status="learning" if not known else "unfit" if reasons else "fit",
            reasons=reasons if known else (),
            people=self.state.counted,
            judged_share=round(self.state.judged / self.state.people, 3),
            face_px=self._quartiles(),
            dark_share=dark,
            oblique_share=oblique,
            blurred_share=blurred,
        )

    def _shares(self) -> tuple[float, float, float] | tuple[None, None, None]:
        if self.state.looks < 1:
            return None, None, None
        dark, oblique, blurred = (round(part / self.state.looks, 3) for part in self.state.faults)
        return dark, oblique, blurred

    def _reasons(self) -> tuple[UnfitReason, ...]:
        lower_px, median_px, _ = self._quartiles()
        reasons: list[UnfitReason] = []
        if median_px < LEAST_MEDIAN_PX or lower_px < LEAST_LOWER_PX:
            reasons.append("too_small")
        if self.state.looks >= LEAST_LOOKS:
            most = MOST_BAD * self.state.looks
            bad = zip(FAULTS, self.state.faults, strict=True)
            reasons += [name for name, part in bad if part > most]
        if not reasons and self.state.judged / self.state.people < LEAST_JUDGED:
            reasons.append("too_few_judged")
        return tuple(reasons)

    def _quartiles(self) -> tuple[float, float, float]:
        """Return the quartiles of the heights in pixels, interpolated within a bin."""
        reached = np.concatenate([[0.0], np.cumsum(self.state.heights)])
        edges = _SMALLEST_PX * _BIN ** np.arange(BINS + 1)
        lower, median, upper = np.interp(np.array([0.25, 0.5, 0.75]) * reached[-1], reached, edges)
        return round(float(lower), 1), round(float(median), 1), round(float(upper), 1)


def _bin_of(height_px: float) -> int:
    return int(np.clip(np.log(max(height_px, 1.0) / _SMALLEST_PX) / np.log(_BIN), 0, BINS - 1))
