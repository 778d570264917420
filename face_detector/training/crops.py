"""Square crops to train on, made so that faces of every size are seen alike.

A crop is one piece of a photograph or a mosaic of up to 16. Each piece is scaled so that a face
in it, picked at random, comes out at a size that is drawn evenly on a logarithmic scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from face_detector.training.lessons import Lesson
from face_detector.training.looks import change_looks
from face_detector.training.losses import FACE_COLUMNS, MAX_FACES, pack_targets

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
Generator = np.random.Generator

GRID_SHARES: Final = {1: 0.4, 2: 0.35, 3: 0.2, 4: 0.05}
"""Share of crops that are a mosaic of this many rows and columns."""
LEAST_WANTED_PX: Final = 8.0
MOST_WANTED: Final = {1: 1.1, 2: 0.8, 3: 0.8, 4: 0.8}
"""Wanted sizes of the picked face (square root of its box's area), the largest as a share of
its piece's side, by how many rows and columns there are."""
LARGEST_SCALE: Final = 2.2
LEAST_FILLED: Final = 0.35
"""Share of a piece's side that its photograph fills at least."""
BACKGROUND_SHARE: Final = 0.15
"""Share of pieces that are placed without looking for a face."""
LEAST_FACE_PX: Final = 6.0
"""Faces smaller than this are ignored: they are below the resolution of stride 8."""
LEAST_VISIBLE: Final = 0.5
"""Share of a face that must be left by the crop's edge."""
LANDMARKS_VISIBLE: Final = 0.8
MIRRORED_LANDMARKS: Final = (1, 0, 2, 4, 3)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Part of a crop: pixels and what is on them, `Lesson`'s fields in the piece's pixels."""

    image: Image
    boxes: Floats
    weights: Floats
    landmarks: Floats
    ignored: Floats


def make_crop(draw: Callable[[], tuple[Lesson, Image]], side_px: int, rng: Generator) -> Piece:
    """A square piece, (S, S, 3); `draw` gives a photograph's lesson and pixels, new each time."""
    grid = int(rng.choice(list(GRID_SHARES), p=list(GRID_SHARES.values())))
    piece = _mosaic(draw, side_px, grid, rng)
    return _mirrored(piece) if rng.random() < 0.5 else piece


def targets_of(piece: Piece, rng: Generator, teacher: Floats | None) -> Floats:
    """As `losses.pack_targets` makes them; faces beyond the room are ignored."""
    order = rng.permutation(len(piece.boxes))
    taught, left_over = order[:MAX_FACES], order[MAX_FACES:]
    known = np.isfinite(piece.landmarks[taught]).all(axis=(1, 2))
    faces = np.zeros((len(taught), FACE_COLUMNS), np.float32)
    faces[:, 0], faces[:, 1:5], faces[:, 5] = piece.weights[taught], piece.boxes[taught], known
    faces[known, 6:] = piece.landmarks[taught][known].reshape(-1, 10)
    ignored = np.concatenate([piece.boxes[left_over], piece.ignored])
    return pack_targets(faces, ignored, piece.image.shape[0], teacher)


def _mosaic(
    draw: Callable[[], tuple[Lesson, Image]], side_px: int, grid: int, rng: Generator
) -> Piece:
    """Pieces in rows and columns that are not quite equally wide."""
    image = np.zeros((side_px, side_px, 3), np.uint8)
    parts = []
    for top, bottom in pairwise(_edges(side_px, grid, rng)):
        for left, right in pairwise(_edges(side_px, grid, rng)):
            part = _piece(*draw(), (bottom - top, right - left), MOST_WANTED[grid], rng)
            image[top:bottom, left:right] = part.image
            parts.append(_shifted(part, left, top))
    return Piece(
        image,
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.landmarks for part in parts]),
        np.concatenate([part.ignored for part in parts]),
    )


def _edges(side_px: int, parts: int, rng: Generator) -> list[int]:
    """Return the edges of a mosaic's rows or columns."""
    inner = (np.arange(1, parts) + rng.uniform(-0.25, 0.25, parts - 1)) * side_px / parts
    return [0, *inner.astype(int).tolist(), side_px]


def _piece(
    lesson: Lesson,
    image: Image,
    size: tuple[int, int],
    most_wanted: float,
    rng: Generator,
) -> Piece:
    """(height, width) pixels of a photograph at a random scale and place."""
    scale, middle = _view(lesson, size, most_wanted, rng)
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    scales = np.array([scale * stretch, scale / stretch])
    wanted = np.array(size[::-1]) * rng.uniform(0.2, 0.8, 2)
    room = np.array(size[::-1]) - np.array([image.shape[1], image.shape[0]]) * scales
    # As much photograph as there is: beyond its edge there is nothing to learn from.
    offset = np.clip(wanted - middle * scales, np.minimum(room, 0), np.maximum(room, 0))
    pixels = change_looks(_cut(image, scales, offset, size, rng), rng)
    return _on_view(lesson, pixels, scales.astype(np.float32), offset.astype(np.float32))


def _view(
    lesson: Lesson, size: tuple[int, int], most_wanted: float, rng: Generator
) -> tuple[float, npt.NDArray[np.float64]]:
    """A scale, and the point of the photograph to look at."""
    width, height = lesson.photograph.width, lesson.photograph.height
    sizes_px = (LEAST_WANTED_PX, max(most_wanted * min(size), 2 * LEAST_WANTED_PX))
    wanted_px = float(np.exp(rng.uniform(*np.log(sizes_px))))
    least = min(LEAST_FILLED * min(size) / min(width, height), LARGEST_SCALE)
    anywhere = rng.uniform(0, 1, 2) * (width, height)
    if not len(lesson.boxes):
        return float(np.clip(wanted_px / 64, least, LARGEST_SCALE)), anywhere
    box = lesson.boxes[rng.integers(len(lesson.boxes))]
    scale = float(np.clip(wanted_px / np.sqrt(np.prod(box[2:] - box[:2])), least, LARGEST_SCALE))
    if rng.random() < BACKGROUND_SHARE:
        return scale, anywhere
    return scale, np.asarray((box[:2] + box[2:]) / 2, np.float64)


def _cut(
    image: Image,
    scales: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    size: tuple[int, int],
    rng: Generator,
) -> Image:
    """The view's pixels; what lies beyond the photograph is of one random colour."""
    height, width = size
    filled = np.empty((height, width, 3), np.uint8)
    filled[:] = rng.integers(0, 256, 3) if rng.random() < 0.5 else 0
    low = np.maximum(np.floor(-offset / scales), 0).astype(int)
    high = np.ceil((np.array([width, height]) - offset) / scales).astype(int)
    part = image[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    shrinks = scales.mean() < 1
    styles = (cv2.INTER_AREA, cv2.INTER_LINEAR) if shrinks else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    sides = np.maximum(np.round(np.array(part.shape[1::-1]) * scales), 1).astype(int)
    scaled = cv2.resize(part, sides.tolist(), interpolation=styles[int(rng.random() < 0.4)])
    x, y = np.round(low * scales + offset).astype(int)
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + scaled.shape[1], width), min(y + scaled.shape[0], height)
    filled[top:bottom, left:right] = scaled[top - y : bottom - y, left - x : right - x]
    return filled


def _on_view(lesson: Lesson, image: Image, scales: Floats, offset: Floats) -> Piece:
    """The lesson in a view's pixels; faces that are too small or cut off become ignored."""
    height, width = image.shape[:2]
    limits = np.array([width, height] * 2, np.float32)
    whole = lesson.boxes * np.tile(scales, 2) + np.tile(offset, 2)
    boxes = np.clip(whole, np.float32(0), limits)
    shown = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    visible = shown / np.maximum(np.prod(whole[:, 2:] - whole[:, :2], axis=1), 1e-6)
    taught = (visible >= LEAST_VISIBLE) & (np.sqrt(shown) >= LEAST_FACE_PX)
    landmarks = lesson.landmarks * scales + offset
    landmarks[visible < LANDMARKS_VISIBLE] = np.nan
    gaps = lesson.ignored * np.tile(scales, 2) + np.tile(offset, 2)
    ignored = np.concatenate([boxes[~taught], np.clip(gaps, np.float32(0), limits)])
    ignored = ignored[(ignored[:, 2:] > ignored[:, :2]).all(axis=1)]
    return Piece(image, boxes[taught], lesson.weights[taught], landmarks[taught], ignored)


def _shifted(piece: Piece, x: int, y: int) -> Piece:
    by = np.array([x, y], np.float32)
    boxes, ignored = piece.boxes + np.tile(by, 2), piece.ignored + np.tile(by, 2)
    return Piece(piece.image, boxes, piece.weights, piece.landmarks + by, ignored)


def _mirrored(piece: Piece) -> Piece:
    width = piece.image.shape[1]

    def turned(boxes: Floats) -> Floats:
        return np.stack(
            [width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1
        )

    landmarks = piece.landmarks[:, MIRRORED_LANDMARKS].copy()
    landmarks[..., 0] = width - landmarks[..., 0]
    image = np.ascontiguousarray(piece.image[:, ::-1])
    return Piece(image, turned(piece.boxes), piece.weights, landmarks, turned(piece.ignored))
