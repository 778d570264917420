"""The lesson of each photograph: labelled faces, faces added by a detector, and gaps.

Public sets disagree: some leave faces without a box, some box whole heads, and where a face
ends above and below is drawn differently by each. A network that is taught all of it at once
learns loose boxes, which costs it small faces first. So the labels say which faces there are,
and a permissively licensed detector (see `pseudo_labels`) says how a box is drawn:

- a labelled face that the detector sees as well takes over its box and its landmarks;
- one that it does not see is moved as its source's others were, in the median;
- a face of the detector's that no label covers is a face, a gap or nothing, by its score.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from face_detector.detection import Detections
from face_detector.matching import overlaps, shares_inside
from models.coco import Photograph

Floats = npt.NDArray[np.float32]

SAME_FACE_IOU: Final = 0.4
INSIDE_HEAD: Final = 0.7
"""Share of a detector's box that must lie inside of a head's box to be its face."""
TOUCHES: Final = 0.3
"""Overlap from which a detector's box is about a labelled face, even if it fits badly."""
SURE_FACE: Final = 0.75
"""Score from which an unlabelled face counts where labels are known to be incomplete."""
GAP: Final = 0.3
COMPLETE_GAP: Final = 0.5
"""Score from which one is ignored, where labels are incomplete and where they are said to be
complete: backgrounds of crowds never quite are."""
SYNTHETIC_WEIGHT: Final = 0.3
AS_DRAWN: Final = (0.0, 0.0, 1.0, 1.0)
USUAL_FACE_IN_HEAD: Final = (0.12, 0.25, 0.88, 0.95)
"""Default place of a face in its labelled box, as shares of the box, without pairs of its
source."""
ENOUGH_PAIRS: Final = 10


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """One photograph's targets, in its pixels.

    boxes: (N, 4) float32 xyxy; weights: (N,) float32; landmarks: (N, 5, 2) float32, not a
    number where unknown; ignored: (M, 4) float32 regions where nothing is right or wrong.
    """

    photograph: Photograph
    boxes: Floats
    weights: Floats
    landmarks: Floats
    ignored: Floats


def split_by_cluster(
    photographs: Iterable[Photograph], held_out_share: float
) -> tuple[list[Photograph], list[Photograph]]:
    """Split into (training, held out), near-duplicates always on the same side.

    By a hash of the cluster's name, so the split is the same on every machine.
    """
    training: list[Photograph] = []
    held_out: list[Photograph] = []
    for photograph in photographs:
        digest = hashlib.sha256(photograph.cluster.encode()).digest()
        is_held_out = int.from_bytes(digest[:4], "big") < held_out_share * 2**32
        (held_out if is_held_out else training).append(photograph)
    return training, held_out


def make_lessons(photographs: Sequence[Photograph], seen: dict[str, Detections]) -> list[Lesson]:
    """A lesson for each photograph; `seen` are a detector's faces by file name, if any."""
    places = _places(photographs, seen)
    nobody = Detections.empty()
    return [_lesson(p, seen.get(p.file_name, nobody), places[_drawn_as(p)]) for p in photographs]


def _lesson(photograph: Photograph, seen: Detections, place: Floats) -> Lesson:
    labelled = photograph.boxes[~photograph.crowds]
    boxes = _within(labelled, place)
    landmarks = np.full((len(labelled), 5, 2), np.nan, np.float32)
    for i, j in _pairs(labelled, seen, _is_head(photograph)):
        boxes[i], landmarks[i] = seen.boxes[j], _landmarks(seen)[j]
    extra, ignored = _unlabelled(photograph, labelled, seen)
    weight = SYNTHETIC_WEIGHT if "synthetic" in photograph.flags else 1.0
    return Lesson(
        photograph,
        np.concatenate([boxes, seen.boxes[extra]]),
        np.full(len(boxes) + len(extra), weight, np.float32),
        np.concatenate([landmarks, _landmarks(seen)[extra]]),
        np.concatenate([photograph.boxes[photograph.crowds], seen.boxes[ignored]]),
    )


def _is_head(photograph: Photograph) -> bool:
    return "headbox" in photograph.flags


def _drawn_as(photograph: Photograph) -> tuple[str, bool]:
    """Photographs that share this have their boxes drawn alike."""
    return photograph.source, _is_head(photograph)


def _pairs(labelled: Floats, seen: Detections, is_head: bool) -> list[tuple[int, int]]:
    """(label, detection) of the same face, each used once, the detector's surest first."""
    if not len(labelled) or not len(seen):
        return []
    likeness = shares_inside(seen.boxes, labelled) if is_head else overlaps(seen.boxes, labelled)
    least = INSIDE_HEAD if is_head else SAME_FACE_IOU
    pairs, free = [], np.ones(len(labelled), np.bool_)
    for j in np.argsort(-seen.scores, kind="stable"):
        i = int(np.argmax(np.where(free, likeness[j], -1)))
        if free[i] and likeness[j, i] >= least:
            free[i] = False
            pairs.append((i, int(j)))
    return pairs


def _unlabelled(
    photograph: Photograph, labelled: Floats, seen: Detections
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Which detections to take for faces that lack a label, and which to ignore."""
    covered = np.zeros(len(seen), np.bool_)
    if len(labelled) and len(seen):
        near = np.maximum(overlaps(seen.boxes, labelled), shares_inside(seen.boxes, labelled) - 0.4)
        covered = near.max(axis=1) >= TOUCHES
    incomplete = "incomplete_bg" in photograph.flags
    sure = seen.scores >= (SURE_FACE if incomplete else np.inf)
    gap = seen.scores >= (GAP if incomplete else COMPLETE_GAP)
    return np.flatnonzero(~covered & sure), np.flatnonzero(~covered & ~sure & gap)


def _places(
    photographs: Sequence[Photograph], seen: dict[str, Detections]
) -> dict[tuple[str, bool], Floats]:
    """For each way of drawing, the median place of the detector's box in the label's: (4,)."""
    places: dict[tuple[str, bool], list[Floats]] = defaultdict(list)
    for photograph in photographs:
        found = places[_drawn_as(photograph)]
        faces = seen.get(photograph.file_name, Detections.empty())
        for i, j in _pairs(photograph.boxes, faces, _is_head(photograph)):
            label = photograph.boxes[i]
            size = np.tile(label[2:] - label[:2], 2)
            found.append((faces.boxes[j] - np.tile(label[:2], 2)) / size)
    return {
        drawn: np.median(found, axis=0).astype(np.float32)
        if len(found) >= ENOUGH_PAIRS
        else np.array(USUAL_FACE_IN_HEAD if drawn[1] else AS_DRAWN, np.float32)
        for drawn, found in places.items()
    }


def _within(heads: Floats, place: Floats) -> Floats:
    sizes = np.tile(heads[:, 2:] - heads[:, :2], 2)
    return (np.tile(heads[:, :2], 2) + sizes * place).astype(np.float32)


def _landmarks(seen: Detections) -> Floats:
    if seen.landmarks is None:
        return np.full((len(seen), 5, 2), np.nan, np.float32)
    return seen.landmarks
