"""Measures what a frame says about the camera rather than about people, in about a millisecond.

Single pixels are read as they are. Averaging would remove the camera's noise, which tells a live
picture of an empty scene from a frozen one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

GRID_WIDTH: Final = 160
"""Pixels read in a row, about."""
MAP_WIDTH: Final = 64
MAP_HEIGHT: Final = 36
"""The maps of the scene have this size, whatever the frame's shape."""
BROAD: Final = 4.0
"""Detail is what remains of a map after everything broader than this many cells is removed."""
SHARP_ROWS: Final = 48
FINE_SHARE: Final = 640
COARSE_SHARE: Final = 80
"""Differences across 1 / 640 of the width show fine detail, across 1 / 80 of it any detail. Their
ratio depends neither on light and contrast nor on the frame's size."""


@dataclass(frozen=True, eq=False)
class PictureMeasures:
    """What a frame says about its camera."""

    grid: Image
    """`(h, w)` uint8, w about 160: every n-th pixel's green value."""
    brightness: float
    """Mean of the grid, 0 to 255."""
    detail: float
    """Standard deviation of what a 64 x 36 map shows beyond broad shades, in grey values."""
    sharpness: float
    """Fine over coarse differences along rows: about 0.125 for a picture without any fine
    detail, 0.2 to 0.6 for sharp ones; 0 without any contrast."""
    edges: FloatArray
    """`(36, 64)` float32: strength of edges, 1 on average (0 in a flat picture)."""


def measure(image: Image) -> PictureMeasures:
    """Measure a frame, `(H, W, 3)` uint8 BGR."""
    step = max(1, image.shape[1] // GRID_WIDTH)
    grid = np.ascontiguousarray(image[step // 2 :: step, step // 2 :: step, 1])
    brightness = float(cv2.mean(grid)[0])
    return PictureMeasures(grid, brightness, _detail(grid), _sharpness(image), _edges(grid))


def _detail(grid: Image) -> float:
    scene: FloatArray = _shrink(grid, MAP_WIDTH, MAP_HEIGHT).astype(np.float32)
    return float((scene - cv2.GaussianBlur(scene, (0, 0), BROAD)).std())


def _sharpness(image: Image) -> float:
    """Root mean squares, so that real edges count and the noise of flat areas does not."""
    height, width = image.shape[:2]
    rows = image[:: max(1, height // SHARP_ROWS), :, 1].astype(np.int16)
    fine, coarse = max(1, round(width / FINE_SHARE)), max(2, round(width / COARSE_SHARE))
    if width <= coarse:
        return 0.0
    coarse_change = _energy(rows[:, coarse:] - rows[:, :-coarse])
    if coarse_change == 0:
        return 0.0
    return _energy(rows[:, fine:] - rows[:, :-fine]) / coarse_change


def _energy(differences: npt.NDArray[np.int16]) -> float:
    total = float(cv2.norm(np.ascontiguousarray(differences), cv2.NORM_L2))
    return total / math.sqrt(differences.size)


def _edges(grid: Image) -> FloatArray:
    scene = cv2.GaussianBlur(_shrink(grid, 2 * MAP_WIDTH, 2 * MAP_HEIGHT), (3, 3), 0)
    across, down = cv2.Sobel(scene, cv2.CV_32F, 1, 0), cv2.Sobel(scene, cv2.CV_32F, 0, 1)
    strength = _shrink(np.asarray(cv2.magnitude(across, down)), MAP_WIDTH, MAP_HEIGHT)
    mean = float(strength.mean())
    return np.asarray(strength / mean if mean > 0 else strength, np.float32)


def _shrink(picture: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[Any]:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))
