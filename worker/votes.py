"""Evidence about one person's mask, gathered over frames until it is a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.verdicts import JUDGED_VERDICTS, Verdict

LEAST_FACE_PX: Final = 20.0
"""Faces lower than this say nothing about a mask (measured: model card)."""
FULL_FACE_PX: Final = 56.0
"""From this height on, a face counts in full."""
LEAST_WEIGHT: Final = 0.1
"""Evidence below this is too thin for any verdict."""
LEAST_CONFIDENCE: Final = 0.7
"""A verdict needs this mean probability to be given; below it, errors more than double (the
model card's clips: 8.3 % of the concourse's faces are wrong, 3.5 % of those above 0.7) ..."""
KEPT_CONFIDENCE: Final = 0.5
"""... and this to be kept ..."""
HYSTERESIS: Final = 0.08
"""... and another replaces it only when it leads by this much, so that labels do not flicker."""
SETTLED_WEIGHT: Final = 2.0
SETTLED_CONFIDENCE: Final = 0.85


@dataclass(frozen=True)
class Votes:
    """Weighted sums of class probabilities, and the verdict they support."""

    sums: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """In the order of `JUDGED_VERDICTS`."""
    verdict: Verdict = "unknown"

    @property
    def weight(self) -> float:
        return sum(self.sums)

    @property
    def confidence(self) -> float:
        """Mean probability of the verdict, 0 to 1; 0 while unknown."""
        if self.verdict == "unknown":
            return 0.0
        return self.sums[JUDGED_VERDICTS.index(self.verdict)] / self.weight

    @property
    def settled(self) -> bool:
        """Whether more frames would hardly change the verdict."""
        return self.weight >= SETTLED_WEIGHT and self.confidence >= SETTLED_CONFIDENCE

    def add(self, probabilities: npt.NDArray[np.float32], face_height_px: float) -> Votes:
        """Return the votes with one more classification, `(3,)` in `JUDGED_VERDICTS` order."""
        weight = face_weight(face_height_px)
        mask, incorrect, no_mask = (
            round(old + weight * float(new), 4)
            for old, new in zip(self.sums, probabilities, strict=True)
        )
        votes = replace(self, sums=(mask, incorrect, no_mask))
        return replace(votes, verdict=votes._decide())

    def _decide(self) -> Verdict:
        if self.weight < LEAST_WEIGHT:
            return "unknown"
        means = [part / self.weight for part in self.sums]
        best = max(range(len(means)), key=means.__getitem__)
        if self.verdict != "unknown":
            current = JUDGED_VERDICTS.index(self.verdict)
            leads = means[best] - means[current] >= HYSTERESIS
            if not leads and means[current] >= KEPT_CONFIDENCE:
                return self.verdict
        return JUDGED_VERDICTS[best] if means[best] >= LEAST_CONFIDENCE else "unknown"


def face_weight(face_height_px: float) -> float:
    """How much a classification of a face of this height counts, 0 to 1."""
    share = (face_height_px - LEAST_FACE_PX) / (FULL_FACE_PX - LEAST_FACE_PX)
    return float(np.clip(0.1 + 0.9 * share, 0.1, 1.0)) if share >= 0 else 0.0
