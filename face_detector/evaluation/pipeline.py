"""Detector and classifier together: the verdicts on the faces that are really found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract.people.verdicts import JUDGED_VERDICTS, VERDICTS
from face_detector.detection import Detections, FaceDetector
from face_detector.evaluation.accuracy import MATCH_IOU, SIZES_PX, match
from face_detector.evaluation.predictions import write_predictions
from face_detector.matching import areas
from models.coco import UNJUDGED, Photograph, PhotographSet
from models.crops import crop_faces
from models.mask_classifier import MaskClassifier
from models.reporting.intervals import Share
from models.reporting.tables import markdown_table

REPORT_NAME: Final = "pipeline.md"
PREDICTIONS_NAME: Final = "predictions.json"


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One photograph: the faces found, with verdicts, and which labelled face each one is.

    verdicts: (D,) indices of `JUDGED_VERDICTS`, -1 for unknown. owner: (D,) index of the
    labelled face, -1 where there is none.
    """

    photograph: Photograph
    found: Detections
    verdicts: npt.NDArray[np.int64]
    owner: npt.NDArray[np.intp]


def judge_photographs(
    photographs: Sequence[Photograph],
    detector: FaceDetector,
    classifier: MaskClassifier,
    progress: Callable[[int], None] | None = None,
) -> list[Judgement]:
    """Judge each photograph like a single frame of a camera, without tracks and votes."""
    judgements = []
    for number, photograph in enumerate(photographs):
        image = photograph.read()
        [found] = detector.detect([image])
        size, margin = classifier.input_size, classifier.margin
        crops = crop_faces(image, found.boxes, margin=margin, size=size)
        probabilities = classifier.classify(crops)[:, : len(JUDGED_VERDICTS)]
        verdicts = np.where(
            probabilities.max(axis=1, initial=0) >= classifier.threshold,
            probabilities.argmax(axis=1) if len(probabilities) else 0,
            UNJUDGED,
        ).astype(np.int64)
        judgements.append(
            Judgement(photograph, found, verdicts, match(photograph.boxes, found.boxes))
        )
        if progress:
            progress(number + 1)
    return judgements


def write_report(judgements: Sequence[Judgement], data: PhotographSet, out: Path) -> Path:
    """Write pipeline.md and predictions.json into `out`; returns the report's path."""
    table = _Faces.of(judgements)
    sources = sorted(set(table.sources))
    parts = [
        f"# Detector and classifier together on {data.folder.resolve().name}",
        f"{len(judgements)} photographs, {len(table.labels)} faces with a label of how a mask is "
        "worn. Each photograph is one frame: no tracks and no votes, so a station does better. A "
        f"face is found when a detection overlaps it by at least {MATCH_IOU}; a verdict is "
        "`unknown` under the classifier's threshold. *Right* is the share of the answered ones.",
        _rows(table, "source", [(source, table.sources == source) for source in sources]),
        _rows(table, "size", _size_groups(table.sizes_px)),
        "Verdicts (columns) by label (rows), of the faces that were found:",
        _confusion(table),
    ]
    out.mkdir(parents=True, exist_ok=True)
    path = out / REPORT_NAME
    path.write_text("\n\n".join(parts) + "\n")
    ids = data.category_ids
    write_predictions(
        out / PREDICTIONS_NAME,
        (
            (one.photograph, one.found, [ids.get(int(v)) for v in one.verdicts])
            for one in judgements
        ),
    )
    return path


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """All labelled faces, side by side: what they are, whether found, what was said."""

    labels: npt.NDArray[np.int64]
    sizes_px: npt.NDArray[np.float32]
    sources: npt.NDArray[Any]
    found: npt.NDArray[np.bool_]
    verdicts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, judgements: Sequence[Judgement]) -> _Faces:
        labels, sizes, sources, found, verdicts = [], [], [], [], []
        for one in judgements:
            judged = (one.photograph.labels != UNJUDGED) & ~one.photograph.crowds
            said = np.full(len(judged), UNJUDGED, np.int64)
            said[one.owner[one.owner >= 0]] = one.verdicts[one.owner >= 0]
            seen = np.zeros(len(judged), np.bool_)
            seen[one.owner[one.owner >= 0]] = True
            labels.append(one.photograph.labels[judged])
            sizes.append(np.sqrt(areas(one.photograph.boxes))[judged])
            sources += [one.photograph.source] * int(judged.sum())
            found.append(seen[judged])
            verdicts.append(said[judged])
        return cls(
            np.concatenate(labels),
            np.concatenate(sizes),
            np.array(sources),
            np.concatenate(found),
            np.concatenate(verdicts),
        )


def _rows(table: _Faces, title: str, groups: Sequence[tuple[str, npt.NDArray[np.bool_]]]) -> str:
    rows = []
    everything = ("all", np.ones(len(table.labels), np.bool_))
    for name, chosen in (*groups, everything):
        found = chosen & table.found
        answered = found & (table.verdicts != UNJUDGED)
        right = answered & (table.verdicts == table.labels)
        shares = (
            Share(int(found.sum()), int(chosen.sum())),
            Share(int(answered.sum()), int(found.sum())),
            Share(int(right.sum()), int(answered.sum())),
            Share(int(right.sum()), int(chosen.sum())),
        )
        rows.append([name, str(int(chosen.sum())), *map(str, shares)])
    header = [title, "faces", "found", "answered of the found", "right of the answered"]
    return markdown_table([*header, "right of all faces"], rows)


def _size_groups(sizes_px: npt.NDArray[np.float32]) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    edges = (0, *SIZES_PX)
    return [
        (_size_name(low, high), (sizes_px >= low) & (sizes_px < high))
        for low, high in pairwise(edges)
    ]


def _size_name(low: float, high: float) -> str:
    return f"{low:g}-{high:g} px" if np.isfinite(high) else f"{low:g} px and up"


def _confusion(table: _Faces) -> str:
    rows = []
    for label, name in enumerate(JUDGED_VERDICTS):
        of_label = table.found & (table.labels == label)
        columns = [*range(len(JUDGED_VERDICTS)), UNJUDGED]
        rows.append([name, *(int((of_label & (table.verdicts == v)).sum()) for v in columns)])
    return markdown_table(["", *VERDICTS], rows)
