"""Labelled faces from COCO annotations, joined with the boxes of the detector that serves."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.verdicts import JUDGED_VERDICTS
from models.crops import square_around

READ_FLAGS: Final = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
MATCH_IOU: Final = 0.4
"""A detector's box is taken for a labelled one from this overlap on."""
MATCH_INSIDE: Final = 0.7
"""For whole-head labels: the share of the detector's box that must lie inside instead."""
CONTEXT_MARGIN: Final = 0.8
"""How much around a face is kept for box jitter, in longer sides of its box on each side."""
CONTEXT_LIMIT_PX: Final = 320
"""Longest side of a kept patch: its face is then about as large as the network's input."""


@dataclass(frozen=True, slots=True)
class LabelledFace:
    """One face of one photograph. Boxes are (4,) float32 xyxy pixels of that photograph.

    label indexes `JUDGED_VERDICTS`; landmarks are (5, 2) float32 in the detector's order.
    """

    file_name: str
    source: str
    cluster: str
    flags: frozenset[str]
    label: int
    label_box: npt.NDArray[np.float32]
    detector_box: npt.NDArray[np.float32] | None
    landmarks: npt.NDArray[np.float32] | None

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


def read_faces(annotations: Path, detector_boxes: Path | None) -> list[LabelledFace]:
    """All labelled faces of a COCO file, matched to `face_detector.annotate`'s boxes if given."""
    coco = json.loads(annotations.read_text())
    names = {category["id"]: category["name"] for category in coco["categories"]}
    detected = json.loads(detector_boxes.read_text())["images"] if detector_boxes else {}
    by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for annotation in coco["annotations"]:
        by_image[annotation["image_id"]].append(annotation)
    faces = []
    for image in coco["images"]:
        records = detected.get(image["file_name"], [])
        for annotation in by_image[image["id"]]:
            faces.append(_face(image, annotation, names, records))
    return faces


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


def cut_patches(faces: Sequence[LabelledFace], images: Path) -> list[FacePatch]:
    """Cut every face's patch, reading each photograph once."""
    by_file: dict[str, list[LabelledFace]] = defaultdict(list)
    for face in faces:
        by_file[face.file_name].append(face)
    patches = []
    for file_name, its_faces in by_file.items():
        image = cv2.imread(str(images / file_name), READ_FLAGS)
        if image is None:
            raise FileNotFoundError(f"{images / file_name} is annotated, but cannot be read")
        patches += [_patch(np.asarray(image, np.uint8), face) for face in its_faces]
    return patches


def report(faces: Iterable[LabelledFace]) -> str:
    """Counts by source and label as a Markdown table."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for face in faces:
        counts[face.source][JUDGED_VERDICTS[face.label]] += 1
        counts[face.source]["detected"] += face.detector_box is not None
    columns = [*JUDGED_VERDICTS, "detected"]
    rows = [
        f"| {source} | " + " | ".join(str(counts[source][column]) for column in columns) + " |"
        for source in sorted(counts)
    ]
    header = f"| source | {' | '.join(columns)} |"
    return "\n".join([header, "| --- " * (len(columns) + 1) + "|", *rows])


def _face(
    image: dict[str, Any],
    annotation: dict[str, Any],
    names: dict[int, str],
    records: list[dict[str, Any]],
) -> LabelledFace:
    x, y, width, height = annotation["bbox"]
    box = np.array([x, y, x + width, y + height], np.float32)
    flags = frozenset(image["flags"])
    match = _match(box, records, is_head="headbox" in flags)
    landmarks = match and match["landmarks"]
    return LabelledFace(
        file_name=image["file_name"],
        source=image["source"],
        cluster=image["cluster"],
        flags=flags,
        label=JUDGED_VERDICTS.index(names[annotation["category_id"]]),
        label_box=box,
        detector_box=np.array(match["box"], np.float32) if match else None,
        landmarks=np.array(landmarks, np.float32) if landmarks else None,
    )


def _match(
    box: npt.NDArray[np.float32], records: list[dict[str, Any]], *, is_head: bool
) -> dict[str, Any] | None:
    """The detector's record that overlaps a labelled box best, if it overlaps enough."""
    best, best_overlap = None, MATCH_INSIDE if is_head else MATCH_IOU
    for record in records:
        other = np.array(record["box"], np.float32)
        overlap = _overlap(box, other, inside_only=is_head)
        if overlap > best_overlap:
            best, best_overlap = record, overlap
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
