"""Measures the overlap of boxes. Boxes are (N, 4) float32 xyxy pixels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def areas(boxes: Floats) -> Floats:
    """(N,) float32 square pixels."""
    return np.asarray(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.float32)


def intersections(a: Floats, b: Floats) -> Floats:
    """(len(a), len(b)) float32: the area that each pair shares."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=2), np.float32)


def overlaps(a: Floats, b: Floats) -> Floats:
    """(len(a), len(b)) float32: intersection over union of each pair."""
    shared = intersections(a, b)
    return np.asarray(shared / np.maximum(areas(a)[:, None] + areas(b) - shared, 1e-9), np.float32)


def shares_inside(a: Floats, b: Floats) -> Floats:
    """(len(a), len(b)) float32: how much of each box of `a` lies inside each of `b`."""
    return np.asarray(intersections(a, b) / np.maximum(areas(a)[:, None], 1e-9), np.float32)
