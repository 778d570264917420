"""Cuts faces out of frames, in training and in serving alike."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt


def crop_faces(
    frame: npt.NDArray[np.uint8],
    boxes: npt.NDArray[np.float32],
    *,
    margin: float,
    size: int,
) -> npt.NDArray[np.uint8]:
    """Cut the square around each box and scale it to `size`: (N, size, size, 3) uint8.

    frame: (H, W, 3) uint8, any colour order, which is kept. boxes: (N, 4) float32 xyxy
    pixels. The square shares the box's centre; its side is the box's longer side plus
    `margin` of it on each side. Where it leaves the frame, the frame's edge is repeated.
    """
    crops = np.zeros((len(boxes), size, size, 3), np.uint8)
    for crop, box in zip(crops, boxes, strict=True):
        square = cut_square(frame, *square_around(box, margin))
        shrinks = square.shape[0] > size
        # Area averaging when shrinking, or thin straps and nose edges alias away.
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        cv2.resize(square, (size, size), dst=crop, interpolation=how)
    return crops


def square_around(box: npt.NDArray[np.float32], margin: float) -> tuple[int, int, int]:
    """The square around an xyxy box, in whole pixels: left, top, side (at least 1)."""
    x_min, y_min, x_max, y_max = (float(value) for value in box)
    side = max(1, round(max(x_max - x_min, y_max - y_min) * (1 + 2 * margin)))
    left = math.floor((x_min + x_max - side) / 2 + 0.5)
    top = math.floor((y_min + y_max - side) / 2 + 0.5)
    return left, top, side


def cut_square(
    frame: npt.NDArray[np.uint8], left: int, top: int, side: int
) -> npt.NDArray[np.uint8]:
    """The square, (side, side, 3) uint8, with the frame's edge repeated outside of it."""
    height, width = frame.shape[:2]
    # A square wholly outside still shows the nearest row or column of the frame.
    x_from, x_to = _span(left, side, width)
    y_from, y_to = _span(top, side, height)
    inside = frame[y_from:y_to, x_from:x_to]
    above, before = max(0, min(y_from - top, side - 1)), max(0, min(x_from - left, side - 1))
    below, after = side - above - inside.shape[0], side - before - inside.shape[1]
    if not (above or below or before or after):
        return inside
    padded = cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _span(start: int, side: int, limit: int) -> tuple[int, int]:
    """The part of start..start+side inside 0..limit, never empty."""
    first = min(max(start, 0), limit - 1)
    last = max(min(start + side, limit), first + 1)
    return first, last
