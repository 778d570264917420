"""How much one look at a face says about its mask: by how sharp, face-like and judgeable it is."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

LEAST_FACE_PX: Final = 20.0
"""Faces lower than this say nothing about a mask (measured: model card)."""
SHARPNESS_SIDE: Final = 48
"""Sharpness is measured at this size, at which small faces are not yet enlarged."""
BLURRED: Final = 0.03
SHARP: Final = 0.15
"""Between these, `sharpness` counts for less: in the real clips 15 % of the looks with a sharpness
of 0.03 to 0.08 are wrong, 12 % up to 0.15, and 4 % above (ADR 0047)."""
BELOW_SURE: Final = 0.1
ABOVE_SURE: Final = 0.1
"""Between these from the score at which a detector is sure of a face, the score counts for less.
What the detector hardly takes for a face is often the back of a head or covered: 19 % of the looks
with scores below 0.8 (ours is sure at 0.75) are wrong, 10 % up to 0.85, and 2 % above."""
LEAST_VIEW: Final = 0.3
"""The most blurred or least face-like view still says this much each: it is wrong three to five
times as often as the best, not always."""
UNJUDGEABLE: Final = 0.25
"""From this probability of `unknown` on, a look says nothing. What remains of the back of a head is
a guess, and many such guesses would add up to an answer (ADR 0048). It also tells in which
profiles a mask shows: a profile does not count for less by itself (ADR 0056)."""


def weigh(sharpness: float, score: float, sure_score: float) -> float:
    """How much a look counts, 0 to 1: the two weights, multiplied.

    The height of a face does not count, from `LEAST_FACE_PX` on: where a small one says less, the
    classifier's own probabilities are lower.
    """
    face_like = (score - sure_score + BELOW_SURE) / (ABOVE_SURE + BELOW_SURE)
    return round(sharpness_weight(sharpness) * _limited(face_like), 4)


def of_judgeable(probabilities: FloatArray) -> tuple[FloatArray, float]:
    """What the classifier would say if the face could be judged, and how much that counts.

    probabilities: `(4,)` in `VERDICTS` order, with `unknown` last. Returns `(3,)` in
    `JUDGED_VERDICTS` order, summing to 1, and the factor of the look's weight, 0 to 1: 0 from
    `UNJUDGEABLE` on.
    """
    judged = float(probabilities[:-1].sum())
    share = probabilities[:-1] / max(judged, 1e-6)
    return np.asarray(share, np.float32), max(0.0, 1 - float(probabilities[-1]) / UNJUDGEABLE)


def sharpness_weight(sharpness: float) -> float:
    """How much a face of this sharpness counts, 0 to 1."""
    return _limited((sharpness - BLURRED) / (SHARP - BLURRED))


def _limited(share: float) -> float:
    return min(max(share, LEAST_VIEW), 1.0)


def sharpness_of(crop: Image) -> float:
    """Variance of the Laplacian of a face's crop, over the variance of its grey levels.

    The first is the usual measure of focus (Pech-Pacheco et al., 2000); the second makes it
    independent of light and contrast. crop: `(S, S, 3)` uint8 BGR. About 0.01 when blurred beyond
    recognition, above 0.1 when sharp.
    """
    side = SHARPNESS_SIDE
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    contrast = float(grey.var())
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / max(contrast, 1.0)


def frontality_of(landmarks: FloatArray | None) -> float:
    """How much a face looks this way, from `LEAST_VIEW` (a profile) to 1 (frontal, or not known).

    landmarks: `(5, 2)`: right eye, left eye, nose tip, mouth corners, in pixels; None from
    detectors without them. In a frontal face the nose's tip lies midway between the eyes, along
    the line that joins them; in a profile it lies beyond one of them.
    """
    if landmarks is None:
        return 1.0
    right_eye, left_eye, nose = landmarks[:3]
    across = left_eye - right_eye
    length = float(across @ across)
    if length < 1.0:
        return LEAST_VIEW
    off_middle = abs(float((nose - right_eye) @ across) / length - 0.5)
    return float(np.clip(1.0 - max(0.0, off_middle - 0.1) / 0.4, LEAST_VIEW, 1.0))
