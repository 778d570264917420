"""Labelled faces from COCO annotations, joined with the boxes of the detector that serves."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.people.verdicts import VERDICTS
from models.coco import UNJUDGED, Photograph
from models.crops import square_around
from models.reporting.tables import markdown_table

MATCH_IOU: Final = 0.4
"""A detector's box is taken for a labelled one from this overlap on."""
MATCH_INSIDE: Final = 0.7
"""For whole-head labels: the share of the detector's box that must lie inside instead."""
CONTEXT_MARGIN: Final = 0.7
"""How much around a face is kept for box jitter, in longer sides of its box on each side."""
CONTEXT_LIMIT_PX: Final = 288
"""Longest side of a kept patch: its face is then about as large as the network's input."""


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """A detector's result for a face, in pixels of its photograph.

    box: (4,) float32 xyxy. landmarks: (5, 2) float32, the person's right eye first, or None.
    """

    box: npt.NDArray[np.float32]
    score: float
    landmarks: npt.NDArray[np.float32] | None


DetectedFaces = Mapping[str, Sequence[DetectedFace]]
"""By the photograph's file name."""


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One face of one photograph. Boxes are (4,) float32 xyxy pixels of that photograph.

    label indexes `VERDICTS`; landmarks are (5, 2) float32 in the detector's order.
    """

    photograph: Photograph
    label: int
    label_box: npt.NDArray[np.float32]
    detector_box: npt.NDArray[np.float32] | None
    landmarks: npt.NDArray[np.float32] | None
    score: float
    """The detector's, 0 where it does not find the face."""

    @property
    def source(self) -> str:
        return self.photograph.source

    @property
    def cluster(self) -> str:
        return self.photograph.cluster

    @property
    def flags(self) -> frozenset[str]:
        return self.photograph.flags

    @property
    def boxes(self) -> list[npt.NDArray[np.float32]]:
        """The boxes to learn from, best first: what serving sees, then the label's own."""
        if self.detector_box is None:
            return [self.label_box]
        if "headbox" in self.flags:
            return [self.detector_box]
        return [self.detector_box, self.label_box]

    @property
    def longer_side_px(self) -> float:
        """Longer side of the labelled box."""
        return float((self.label_box[2:] - self.label_box[:2]).max())


@dataclass(frozen=True, slots=True)
class FacePatch:
    """A face with what is around it, cut from its photograph and scaled down if huge.

    image: (H, W, 3) uint8 BGR; boxes and landmarks as in `LabelledFace`, in its pixels.
    """

    image: npt.NDArray[np.uint8]
    boxes: list[npt.NDArray[np.float32]]
    landmarks: npt.NDArray[np.float32] | None
    face: LabelledFace


def match_faces(
    photographs: Iterable[Photograph], detected: DetectedFaces | None
) -> list[LabelledFace]:
    """All judged faces, joined with the detector's where those overlap them."""
    return [
        face
        for photograph in photographs
        for face in _match_one(photograph, (detected or {}).get(photograph.file_name, ()))
    ]


def split_by_cluster(
    faces: Iterable[LabelledFace], held_out_share: float
) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Split into (training, held out), near-duplicates always on the same side.

    By a hash of the cluster's name, so the split is the same on every machine.
    """
    training: list[LabelledFace] = []
    held_out: list[LabelledFace] = []
    for face in faces:
        digest = hashlib.sha256(face.cluster.encode()).digest()
        is_held_out = int.from_bytes(digest[:4], "big") < held_out_share * 2**32
        (held_out if is_held_out else training).append(face)
    return training, held_out


def cut_patches(faces: Sequence[LabelledFace]) -> list[FacePatch]:
    """Cut every face's patch, reading each photograph once; raises as `Photograph.read`."""
    # By path: ids are a set's own, and faces may come from several sets.
    by_photograph: dict[Path, list[LabelledFace]] = defaultdict(list)
    for face in faces:
        by_photograph[face.photograph.path].append(face)
    patches = []
    for its_faces in by_photograph.values():
        image = its_faces[0].photograph.read()
        patches += [_patch(image, face) for face in its_faces]
    return patches


def report(faces: Iterable[LabelledFace]) -> str:
    """Counts by source and label, and of those the detector finds, as a Markdown table."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for face in faces:
        counts[face.source][VERDICTS[face.label]] += 1
        counts[face.source]["detected"] += face.detector_box is not None
    columns = [*VERDICTS, "detected"]
    rows = [[source, *(counts[source][name] for name in columns)] for source in sorted(counts)]
    return markdown_table(["source", *columns], rows)


def _match_one(photograph: Photograph, detected: Sequence[DetectedFace]) -> Iterable[LabelledFace]:
    is_head = "headbox" in photograph.flags
    for box, label, crowd in zip(
        photograph.boxes, photograph.labels, photograph.crowds, strict=True
    ):
        if label == UNJUDGED or crowd:
            continue
        match = _match(box, detected, is_head=is_head)
        yield LabelledFace(
            photograph=photograph,
            label=int(label),
            label_box=box,
            detector_box=match.box if match else None,
            landmarks=match.landmarks if match else None,
            score=match.score if match else 0.0,
        )


def _match(
    box: npt.NDArray[np.float32], detected: Sequence[DetectedFace], *, is_head: bool
) -> DetectedFace | None:
    """The detector's face that overlaps a labelled box best, if it overlaps enough."""
    best, best_overlap = None, MATCH_INSIDE if is_head else MATCH_IOU
    for face in detected:
        overlap = _overlap(box, face.box, inside_only=is_head)
        if overlap > best_overlap:
            best, best_overlap = face, overlap
    return best


def _overlap(
    label: npt.NDArray[np.float32], other: npt.NDArray[np.float32], *, inside_only: bool
) -> float:
    sides = np.minimum(label[2:], other[2:]) - np.maximum(label[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    area = float(np.prod(other[2:] - other[:2]))
    whole = area if inside_only else area + float(np.prod(label[2:] - label[:2])) - shared
    return shared / whole if whole > 0 else 0.0


def _patch(image: npt.NDArray[np.uint8], face: LabelledFace) -> FacePatch:
    boxes = np.stack(face.boxes)
    around = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    left, top, side = square_around(around, CONTEXT_MARGIN)
    left, right = max(left, 0), min(left + side, image.shape[1])
    top, bottom = max(top, 0), min(top + side, image.shape[0])
    cut = image[top:bottom, left:right].copy()
    scale = min(1.0, CONTEXT_LIMIT_PX / max(cut.shape[:2]))
    if scale < 1:
        cut = np.asarray(cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    corner = np.array([left, top], np.float32)
    shifted = [(box - np.tile(corner, 2)) * np.float32(scale) for box in face.boxes]
    landmarks = None if face.landmarks is None else (face.landmarks - corner) * np.float32(scale)
    return FacePatch(np.asarray(cut, np.uint8), shifted, landmarks, face)
