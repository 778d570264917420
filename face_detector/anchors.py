"""Decodes the output of networks like YuNet into faces.

An anchor is a cell of the grid of stride 8, 16 or 32, and its position is the cell's top-left
corner in input pixels. For each anchor the network gives, in this order: the class and objectness,
the box's centre (offsets from the anchor in strides) and size (exponents, in strides), and five
landmarks (offsets in strides). After OpenCV's `face_detect.cpp`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from face_detector.detection import Detections, clip_boxes, has_area

Floats = npt.NDArray[np.float32]

STRIDES: Final = (8, 16, 32)
HEADS: Final = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Channels by head, in order."""
CHANNELS: Final = sum(HEADS.values())
NMS_IOU_THRESHOLD: Final = 0.3  # cv2.FaceDetectorYN's default
MAX_CANDIDATES: Final = 5000  # cv2.FaceDetectorYN's default top_k


@lru_cache(maxsize=32)
def anchors(height: int, width: int) -> Floats:
    """(anchors, 3) float32 `(x, y, stride)` of an input, stride by stride, each row by row."""
    grids = []
    for stride in STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride] * stride
        grids.append(np.stack([x, y, np.full_like(x, stride)], axis=-1).reshape(-1, 3))
    return np.concatenate(grids).astype(np.float32)


def decode(
    rows: Floats, shape: tuple[int, int], score_threshold: float
) -> tuple[Floats, Floats, Floats]:
    """Boxes (N, 4) xyxy, scores (N,) and landmarks (N, 5, 2) above the threshold.

    `rows` are (anchors, 16), class and objectness as probabilities; the results are in pixels
    of the network's input, whose (height, width) is `shape`, and not yet suppressed. The score
    is the geometric mean of class and objectness.
    """
    certainty = rows[:, 0] * rows[:, 1]
    hits = np.flatnonzero(certainty >= score_threshold * score_threshold)
    rows, table = rows[hits], anchors(*shape)[hits]
    corners, strides = table[:, :2], table[:, 2:]
    centres = rows[:, 2:4] * strides + corners
    halves = np.exp(rows[:, 4:6]) * strides / 2
    points = rows[:, 6:].reshape(-1, 5, 2) * strides[:, None] + corners[:, None]
    scores = np.sqrt(np.clip(certainty[hits], 0, 1))
    boxes = np.hstack([centres - halves, centres + halves])
    return boxes.astype(np.float32), scores.astype(np.float32), points.astype(np.float32)


def in_frame(
    rows: Floats, shape: tuple[int, int], frame: tuple[int, int], score_threshold: float
) -> Detections:
    """Return the faces in a frame of (height, width) that was scaled to the input's width."""
    boxes, scores, landmarks = decode(rows, shape, score_threshold)
    height, width = frame
    scale = np.float32(width / shape[1])
    boxes = clip_boxes(boxes * scale, width, height)
    kept = np.flatnonzero(has_area(boxes))
    kept = kept[suppress(boxes[kept], scores[kept], score_threshold)]
    return Detections(boxes[kept], scores[kept], landmarks[kept] * scale)


def merged(wide: Detections, narrow: Detections, score_threshold: float) -> Detections:
    """Return the faces of one frame that were found at two widths, each of them once."""
    if not len(narrow):
        return wide
    boxes = np.concatenate([wide.boxes, narrow.boxes])
    scores = np.concatenate([wide.scores, narrow.scores])
    kept = suppress(boxes, scores, score_threshold)
    marks = [found.landmarks for found in (wide, narrow) if found.landmarks is not None]
    return Detections(boxes[kept], scores[kept], np.concatenate(marks)[kept])


def suppress(boxes: Floats, scores: Floats, score_threshold: float) -> npt.NDArray[np.intp]:
    """Indices of the boxes that survive non-maximum suppression, best score first."""
    if not len(boxes):
        return np.zeros(0, np.intp)
    xywh = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    kept = cv2.dnn.NMSBoxes(
        xywh.tolist(),
        scores.tolist(),
        score_threshold,
        NMS_IOU_THRESHOLD,
        top_k=MAX_CANDIDATES,
    )
    return np.asarray(kept, np.intp).reshape(-1)
