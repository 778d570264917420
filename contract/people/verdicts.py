"""The four verdicts, in the order in which they are always listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Verdict = Literal["mask", "incorrect", "no_mask", "unknown"]

VERDICTS: Final[tuple[Verdict, ...]] = ("mask", "incorrect", "no_mask", "unknown")

JUDGED_VERDICTS: Final[tuple[Verdict, ...]] = ("mask", "incorrect", "no_mask")
"""The verdicts that enter a compliance rate; `unknown` is counted separately."""

MEANINGS: Final[Mapping[Verdict, str]] = {
    "mask": "The mask covers nose and mouth.",
    "incorrect": "A mask is on the head, but nose or mouth is bare: it sits under the nose or "
    "under the chin, on the forehead, or hangs from one ear.",
    "no_mask": "There is no mask on the head; a mask in the hand is none.",
    "unknown": "Nobody could tell: the face is averted, covered by something else, too small or "
    "too blurred, or what was seen disagrees.",
}
"""What each verdict means: in labels, pages, the API and the documentation alike."""
