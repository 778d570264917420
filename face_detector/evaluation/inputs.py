"""Photographs as a detector is given them: equally large for every detector."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def scaled_to(image: Image, side_px: int) -> tuple[Image, float]:
    """The image with its longer side `side_px`, and the scale that did it."""
    scale = side_px / max(image.shape[:2])
    if scale == 1:
        return image, 1.0
    width, height = (max(1, round(side * scale)) for side in image.shape[1::-1])
    return np.asarray(cv2.resize(image, (width, height)), np.uint8), scale


def padded_to(image: Image, width: int, height: int) -> Image:
    """The image with black to its right and below."""
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[: image.shape[0], : image.shape[1]] = image
    return canvas
