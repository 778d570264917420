"""How much one look at a face says about its mask: by its size, sharpness and direction."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

LEAST_FACE_PX: Final = 20.0
"""Faces lower than this say nothing about a mask (measured: model card)."""
FULL_FACE_PX: Final = 56.0
"""From this height on, a face counts in full."""
SHARPNESS_SIDE: Final = 48
"""Sharpness is measured at this size, at which small faces are not yet enlarged."""
BLURRED: Final = 0.01
SHARP: Final = 0.08
"""Between these, `sharpness` counts for less: below 0.03, twice as many faces are judged wrongly as
above (ADR 0011)."""
LEAST_VIEW: Final = 0.3
"""The most blurred or most averted face large enough to judge still says this much: it is wrong two
to three times as often as a sharp and frontal one, not always."""


def weigh(face_height_px: float, sharpness: float, frontality: float) -> float:
    """How much a look counts, 0 to 1: the three weights, multiplied."""
    view = size_weight(face_height_px) * sharpness_weight(sharpness) * frontality
    return round(view, 4)


def size_weight(face_height_px: float) -> float:
    """How much a face of this height counts, 0 to 1."""
    share = (face_height_px - LEAST_FACE_PX) / (FULL_FACE_PX - LEAST_FACE_PX)
    return float(np.clip(0.1 + 0.9 * share, 0.1, 1.0)) if share >= 0 else 0.0


def sharpness_weight(sharpness: float) -> float:
    """How much a face of this sharpness counts, 0 to 1."""
    share = (sharpness - BLURRED) / (SHARP - BLURRED)
    return float(np.clip(share, LEAST_VIEW, 1.0))


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
