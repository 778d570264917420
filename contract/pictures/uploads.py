"""The faces in an uploaded image."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from contract.messages import Pixels, Share, Side
from contract.people.verdicts import Verdict

GIVEN: Final = "given:"
SHOWN: Final = "shown:"


@dataclass(frozen=True)
class ImageFace:
    """One face in an uploaded image."""

    box: tuple[Pixels, Pixels, Pixels, Pixels]
    """`x_min, y_min, x_max, y_max` in pixels of the upright image, max edge exclusive."""
    score: Share
    """The detector's confidence that this is a face, 0 to 1."""
    verdict: Verdict
    confidence: Share
    """Probability of the verdict, 0 to 1; 0 when `unknown`."""
    probabilities: dict[str, Share]
    """Probability of each verdict and of `unknown`; empty for a face that is too small to judge."""


@dataclass(frozen=True)
class ImageResult:
    """The faces in one uploaded image."""

    width: Side
    height: Side
    """Height of the upright image, in pixels."""
    detector: str
    faces: tuple[ImageFace, ...]

    def to_record(self) -> dict[str, Any]:
        return asdict(self)
