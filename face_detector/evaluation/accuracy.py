"""Average precision, and recall by size of face.

A detection is right when its overlap (intersection over union) with a labelled face that no
surer detection took is at least `MATCH_IOU`. Not counted, neither right nor wrong:

- an unmatched detection in a photograph flagged `incomplete_bg`: it may be a face without a box;
- an unmatched detection most of which lies in a box that holds a crowd.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from face_detector.detection import Detections
from face_detector.matching import areas, overlaps, shares_inside
from models.coco import Photograph

Floats = npt.NDArray[np.float32]

MATCH_IOU: Final = 0.4
INSIDE_CROWD: Final = 0.5
SIZES_PX: Final = (8, 16, 32, 64, np.inf)
"""Edges of the groups of faces by size: the square root of a box's area, in the photograph."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A photograph's detections and faces after matching.

    scores, right: (D,) of the detections that count, bool whether right. counted: (D,) indices
    into the detections. found: (F,) float32 score of each labelled face's detection, 0 where
    missed. sizes_px: (F,) float32.
    """

    photograph: Photograph
    scores: Floats
    right: npt.NDArray[np.bool_]
    counted: npt.NDArray[np.intp]
    found: Floats
    sizes_px: Floats


def judge(photograph: Photograph, detections: Detections, *, lenient: bool = True) -> Judged:
    """Match a photograph's detections to its faces; not `lenient` counts every detection."""
    faces = photograph.boxes[~photograph.crowds]
    order = np.argsort(-detections.scores, kind="stable")
    owner = match(faces, detections.boxes[order])
    found = np.zeros(len(faces), np.float32)
    found[owner[owner >= 0]] = detections.scores[order][owner >= 0]
    counts = owner >= 0
    if not (lenient and "incomplete_bg" in photograph.flags):
        counts |= ~_in_crowd(photograph, detections.boxes[order])
    return Judged(
        photograph,
        detections.scores[order][counts],
        (owner >= 0)[counts],
        order[counts],
        found,
        np.sqrt(areas(faces)),
    )


def match(faces: Floats, boxes: Floats) -> npt.NDArray[np.intp]:
    """For each box, best first, the index of the face it takes, or -1: (boxes,) int."""
    owner = np.full(len(boxes), -1, np.intp)
    if not len(faces):
        return owner
    likeness = overlaps(boxes, faces)
    free = np.ones(len(faces), np.bool_)
    for i, row in enumerate(likeness):
        best = int(np.argmax(np.where(free, row, -1)))
        if free[best] and row[best] >= MATCH_IOU:
            owner[i], free[best] = best, False
    return owner


def precision_recall(judged: Iterable[Judged]) -> tuple[Floats, Floats, Floats]:
    """Precision, recall and score at every detection that counts, the surest first."""
    judged = list(judged)
    scores = np.concatenate([one.scores for one in judged])
    right = np.concatenate([one.right for one in judged])
    faces = sum(len(one.found) for one in judged)
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / max(faces, 1)
    return precision.astype(np.float32), recall.astype(np.float32), scores[order]


def average_precision(judged: Iterable[Judged]) -> float:
    """Area under the precision-recall curve, precision made falling (as PASCAL VOC 2010)."""
    precision, recall, _ = precision_recall(judged)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=np.float32(0)) * falling))


def recall_by_size(
    judged: Sequence[Judged], score_threshold: float, scaled_to_px: int | None = None
) -> list[tuple[int, int]]:
    """(found, all) faces of each group of `SIZES_PX`, at that threshold.

    Sizes are in pixels of the photograph, or, with `scaled_to_px`, of the photograph scaled to
    have its longer side at that.
    """
    found = np.concatenate([one.found for one in judged]) >= max(score_threshold, 1e-6)
    sizes = np.concatenate([one.sizes_px * _scale(one.photograph, scaled_to_px) for one in judged])
    group = np.digitize(sizes, SIZES_PX) - 1
    groups = range(len(SIZES_PX) - 1)
    return [(int(found[group == g].sum()), int((group == g).sum())) for g in groups]


def _scale(photograph: Photograph, side_px: int | None) -> float:
    return side_px / max(photograph.width, photograph.height) if side_px else 1.0


def _in_crowd(photograph: Photograph, boxes: Floats) -> npt.NDArray[np.bool_]:
    crowds = photograph.boxes[photograph.crowds]
    if not len(crowds) or not len(boxes):
        return np.zeros(len(boxes), np.bool_)
    return np.asarray(shares_inside(boxes, crowds).max(axis=1) >= INSIDE_CROWD)
