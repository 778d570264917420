"""Assigns a frame's boxes to the predictions of the tracks."""

from __future__ import annotations

from typing import Final

import lap
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

SMALLEST: Final = 1 / 2.2
"""A box has at least this share of the track's height. The rest of the face may be hidden."""
SIZE_COST: Final = 0.5
"""Face heights that each unit of the sizes' logarithm adds to a distance: 0.09 for a fifth more."""
CUT: Final = 0.12
"""A box that is this share shorter than the track's may show a part of the face, at either end."""
UNREACHABLE: Final = 1e6
FACE_SHAPE: Final = 0.75
"""Width over height of a face's box."""
SAME_FACE_OVERLAP: Final = 0.35
"""Two boxes of one frame that share this part of the smaller may be on one face. A detector leaves
pairs with an IoU up to 0.3 (0.46 of two equal boxes); profiles are found twice at about 0.27."""


def assign(apart: FloatArray, reach: FloatArray, newness: FloatArray) -> list[tuple[int, int]]:
    """Return pairs of track and detection, at the least total distance.

    Jonker and Volgenant (1987), by the library lap: SciPy is as good, but takes 48 MB of memory.

    apart: `(T, N)` as from `distances`. reach: `(T,)` how far, in face heights, each track's face
    may be from where it is expected. newness: `(T,)` is added to a track's distances, so that of
    two tracks on one face the older keeps it.
    """
    if apart.size == 0:
        return []
    costs = np.where(apart <= reach[:, None], apart + newness[:, None], UNREACHABLE)
    _, columns, _ = lap.lapjv(costs, extend_cost=True)
    return [
        (row, int(column))
        for row, column in enumerate(columns)
        if column >= 0 and costs[row, column] < UNREACHABLE
    ]


def distances(predicted: FloatArray, boxes: FloatArray, largest: FloatArray) -> FloatArray:
    """`(T, N)` distances in face heights, sizes included; unreachable where these cannot be.

    predicted: `(T, 4)` and boxes: `(N, 4)` corners in pixels. largest: `(T,)` how many times as
    high as predicted each track's face may be. A box that may show a part of the face is as far
    away as its nearer end.
    """
    heights = np.maximum(predicted[:, 3] - predicted[:, 1], 1.0)[:, None]
    others = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)[None, :]
    ratio = others / heights
    apart = np.linalg.norm(_offsets(predicted, boxes), axis=2) / np.sqrt(heights * others)
    apart += SIZE_COST * np.abs(np.log(ratio))
    possible = (ratio >= SMALLEST) & (ratio <= largest[:, None])
    return np.where(possible, apart, UNREACHABLE).astype(np.float32)


def _offsets(predicted: FloatArray, boxes: FloatArray) -> FloatArray:
    """`(T, N, 2)` how far each box's centre is from where it could be if it were the face's."""
    sides, others = predicted[:, 2:] - predicted[:, :2], boxes[:, 2:] - boxes[:, :2]
    missing = sides[:, None] - others[None]
    free = np.where(missing > CUT * sides[:, None], missing / 2, 0.0)
    offsets = np.abs(centres(predicted)[:, None] - centres(boxes)[None])
    return np.asarray(np.clip(offsets - free, 0.0, None), np.float32)


def centres(boxes: FloatArray) -> FloatArray:
    """`(N, 2)` centres of `(N, 4)` boxes."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float32)


def outside(boxes: FloatArray, frame_size: tuple[int, int]) -> BoolArray:
    """`(N,)`: whose centre lies outside the picture."""
    middle = centres(boxes)
    return np.asarray(((middle < 0) | (middle > np.array(frame_size))).any(axis=1))


def uncut(boxes: FloatArray, frame_size: tuple[int, int]) -> FloatArray:
    """Boxes continued beyond the picture where its edge cuts them to less than a face's shape.

    The middle of a cut face moves at half its speed. boxes: `(N, 4)`, frame_size: width, height.
    """
    whole = np.array(boxes, np.float32)
    width, height = (whole[:, 2:] - whole[:, :2]).T
    wider, higher = height * FACE_SHAPE - width, width / FACE_SHAPE - height
    for low, high, missing, limit in ((0, 2, wider, frame_size[0]), (1, 3, higher, frame_size[1])):
        missing = np.clip(missing, 0, None)
        whole[:, low] -= np.where(boxes[:, low] <= 1, missing, 0)
        whole[:, high] += np.where(boxes[:, high] >= limit - 1, missing, 0)
    return whole


def overlaps(boxes: FloatArray) -> FloatArray:
    """`(N, N)` the part of the smaller of two boxes that both share; 0 on the diagonal."""
    if len(boxes) == 0:
        return np.zeros((0, 0), np.float32)
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = np.clip(boxes[:, 2:] - boxes[:, :2], 1, None).prod(axis=1)
    parts = shared / np.minimum(areas[:, None], areas[None, :])
    np.fill_diagonal(parts, 0)
    return np.asarray(parts, np.float32)


def common_shift(
    predicted: FloatArray, boxes: FloatArray, reach: float, largest: FloatArray
) -> FloatArray | None:
    """The one offset, `(2,)` pixels, that brings most tracks onto detections; None without one.

    After a knock or a small turn of the camera, all faces are in other places, but in the same
    places to one another. At least two tracks must agree, and more than half of all.
    """
    if min(len(predicted), len(boxes)) < 2:
        return None
    offsets = (centres(boxes)[None] - centres(predicted)[:, None]).reshape(-1, 2)
    agreeing = [
        int((distances(predicted + np.tile(offset, 2), boxes, largest) <= reach).any(axis=1).sum())
        for offset in offsets
    ]
    best = int(np.argmax(agreeing))
    if agreeing[best] < 2 or agreeing[best] * 2 <= len(predicted):
        return None
    return np.asarray(offsets[best], np.float32)
