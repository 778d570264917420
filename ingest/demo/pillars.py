"""Advertising pillars near the camera, behind which people disappear for a moment."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from ingest.demo.geometry import CAMERA_HEIGHT_M, Geometry
from ingest.encoding import Image

PILLAR_Z_M: Final = 2.3
PILLAR_WIDTH_M: Final = 0.3
_PLACES_M: Final = (-0.8, 0.9, 0.1)
"""Pillars' middles, from left to right of the camera, in the order they are put up.

With the first two and four people in view at a time, 93 % of the people are more than half hidden
at some time (by a pillar or by one another), a quarter for over a second, one in 100 for over two.
"""


def pillar_edges(pillars: int, geometry: Geometry) -> list[tuple[float, float]]:
    """Return the left and right edge of each pillar, in pixels."""
    half_m = PILLAR_WIDTH_M / 2
    return [
        (
            geometry.project(x - half_m, 0.0, PILLAR_Z_M)[0],
            geometry.project(x + half_m, 0.0, PILLAR_Z_M)[0],
        )
        for x in _PLACES_M[:pillars]
    ]


def draw_pillars(picture: Image, pillars: int, geometry: Geometry) -> None:
    """Draw the pillars from above the picture down to the floor, lit from the left."""
    _, foot = geometry.pixel(0.0, 0.0, PILLAR_Z_M)
    band = geometry.pixel(0.0, CAMERA_HEIGHT_M - 0.9, PILLAR_Z_M)[1]
    for left, right in pillar_edges(pillars, geometry):
        x0, x1 = max(0, round(left)), min(geometry.width, round(right))
        if x0 >= x1:
            continue
        across = (np.arange(x0, x1) - left) / (right - left)
        tone = (150 - 260 * (across - 0.4) ** 2)[None, :, None] * np.array([0.96, 1.0, 1.0])
        rows = slice(0, min(foot, geometry.height))
        picture[rows, x0:x1] = np.clip(tone, 20, 255).astype(np.uint8)
        cv2.rectangle(picture, (x0, 0), (x1, max(0, band)), (96, 60, 40), cv2.FILLED)
