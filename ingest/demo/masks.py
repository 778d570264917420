"""Draws a face mask onto the demo's face, over nose and chin or under the nose."""

from __future__ import annotations

from functools import cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.demo.face import portrait
from ingest.encoding import Image

FINE: Final = 3
"""Masks are drawn at three times the photograph's scale and shrunk, for smooth edges."""
COLOURS: Final = ((214, 186, 138), (228, 205, 160), (236, 234, 232), (206, 208, 170))
"""Surgical blues, white and green, BGR."""

Points = list[tuple[float, float]]

# Outlines in pixels of `face.portrait`, clockwise from the wearer's right temple's side. The
# nose's tip is at (109, 128), the mouth from (89, 143) to (130, 144), the chin at 178.
_COVERING: Final[Points] = [
    (70, 124), (80, 121), (92, 117), (103, 112), (110, 110), (117, 112), (129, 117), (142, 121),
    (154, 124), (154, 138), (151, 154), (144, 168), (132, 179), (118, 185), (108, 185),
    (95, 180), (83, 170), (75, 156), (71, 140),
]  # fmt: skip
_UNDER_NOSE: Final[Points] = [
    (71, 141), (82, 140), (95, 138), (105, 137.5), (111, 138), (118, 138), (130, 139), (142, 141),
    (153, 142), (152, 152), (148, 164), (139, 177), (126, 187), (116, 190), (106, 190),
    (94, 186), (83, 177), (75, 165), (72, 152),
]  # fmt: skip
_LOOPS: Final[tuple[Points, Points]] = (
    [(71, 126), (66, 118), (62, 112)],
    [(154, 126), (159, 119), (163, 113)],
)


@cache
def masked_head(over_nose: bool, colour: tuple[int, int, int]) -> Image:
    """Return `face.portrait`'s picture with a mask in `colour` (BGR)."""
    head, _ = portrait()
    fine = cast(Image, cv2.resize(head, None, fx=FINE, fy=FINE, interpolation=cv2.INTER_CUBIC))
    outline = _fine(_COVERING if over_nose else _UNDER_NOSE)
    shape = np.zeros(fine.shape[:2], np.uint8)
    cv2.fillPoly(shape, [outline], 255, cv2.LINE_AA)
    _draw_loops(fine, outline, colour)
    _draw_shadow(fine, shape)
    cloth = _cloth(shape, outline, colour)
    opacity = cv2.GaussianBlur(shape, (0, 0), 1.0)[..., None] / 255.0
    fine = (fine * (1 - opacity) + cloth * opacity).astype(np.uint8)
    size = head.shape[1], head.shape[0]
    return cast(Image, cv2.resize(fine, size, interpolation=cv2.INTER_AREA))


def _cloth(
    shape: NDArray[np.uint8], outline: NDArray[np.int32], colour: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Return the mask's cloth everywhere, lit from above, bulging at nose and chin."""
    left, top, width, height = cv2.boundingRect(outline)
    rows, columns = np.mgrid[: shape.shape[0], : shape.shape[1]].astype(np.float32)
    across = (columns - left) / width - 0.5
    down = (rows - top) / height
    light = 1.06 - 1.1 * across**2 - 0.16 * down - 0.9 * np.maximum(0, down - 0.72) ** 2
    light += 0.05 * np.exp(-((across / 0.1) ** 2)) * (1 - down)
    for pleat in (0.36, 0.54, 0.72):
        # Pleats sag towards the middle; each is a shadow with a lit edge below it.
        distance = down - (pleat + 0.10 * (0.25 - across**2) * 2 - 0.05)
        light -= 0.10 * np.exp(-((distance / 0.012) ** 2))
        light += 0.05 * np.exp(-(((distance - 0.035) / 0.02) ** 2))
    light -= 0.07 * np.exp(-(((down - 0.13 - 0.9 * across**2) / 0.018) ** 2))
    light += np.random.default_rng(3).normal(0, 0.012, light.shape)
    cloth = np.array(colour, np.float32) * light[..., None]
    return cast(NDArray[np.float32], np.clip(cloth, 0, 252).astype(np.float32))


def _draw_loops(fine: Image, outline: NDArray[np.int32], colour: tuple[int, int, int]) -> None:
    shift = int(outline[0][1]) / FINE - 124
    for loop in _LOOPS:
        first, *rest = loop
        points = _fine([(first[0], first[1] + shift), *rest])
        cv2.polylines(fine, [points], False, (70, 80, 100), 5, cv2.LINE_AA)
        cv2.polylines(fine, [points], False, tuple(0.96 * c for c in colour), 3, cv2.LINE_AA)


def _draw_shadow(fine: Image, shape: NDArray[np.uint8]) -> None:
    """Darken the skin just outside the mask, where it stands off the cheek."""
    spread = cv2.GaussianBlur(shape, (0, 0), 5.0)[..., None] / 255.0
    fine[:] = (fine * (1 - 0.35 * spread)).astype(np.uint8)


def _fine(points: Points) -> NDArray[np.int32]:
    return (np.array(points, np.float32) * FINE).round().astype(np.int32)
