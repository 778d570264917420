"""A report on a mask classifier: Markdown with tables, and pictures beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.people.verdicts import JUDGED_VERDICTS
from models.evaluation import pictures, scores
from models.evaluation.calibration import calibration_error
from models.evaluation.judged import JudgedFaces, cut_crops
from models.labelled_faces import LabelledFace
from models.mask_classifier import MaskClassifier
from models.reporting.figures import contact_sheet
from models.reporting.intervals import Share
from models.reporting.tables import markdown_table

SIZE_EDGES_PX: Final = (0, 16, 24, 32, 48, 96, 100_000)
BRIGHTNESS_EDGES: Final = (0, 50, 80, 256)
ASIDE: Final = 0.26
"""A face looks aside where its nose is further from midway between the eyes, in eye distances."""
JUDGED_SIZE_PX: Final = 24
"""Least size of faces that should be judged correctly. The report shows smaller ones apart."""
COVERAGE: Final = 0.95
WORST: Final = 60
REPORT_NAME: Final = "classifier.md"
MISTAKES_NAME: Final = "classifier_worst_mistakes.png"


def write_report(judged: JudgedFaces, classifier: MaskClassifier, out: Path, *, title: str) -> Path:
    """Write the report with its pictures into a folder and return its path.

    Also writes a contact sheet of the worst mistakes. Do not commit the sheet, because it shows
    faces.
    """
    out.mkdir(parents=True, exist_ok=True)
    names = pictures.draw_all(judged, classifier.threshold, out)
    parts = [f"# {title}", _introduction(judged, classifier), "## Overall", overall(judged)]
    parts += ["## Confusion", _confusion(judged)]
    parts += ["\n".join(f"![{alt}]({name})" for name, alt in names.items())]
    crops = cut_crops(classifier, judged.faces)
    for heading, keys in (
        ("source", judged.sources.tolist()),
        ("longer side", [_size_of(side) for side in judged.sizes_px]),
        ("brightness", [_brightness_of(crop) for crop in crops]),
        ("pose", [_pose_of(face) for face in judged.faces]),
        ("box", [_box_of(found) for found in judged.found]),
    ):
        parts += [f"## By {heading}", _by(heading, keys, judged, classifier.threshold)]
    path = out / REPORT_NAME
    path.write_text("\n\n".join(parts) + "\n")
    cv2.imwrite(str(out / MISTAKES_NAME), worst_mistakes(judged, classifier))
    return path


def overall(judged: JudgedFaces) -> str:
    """Return the main figures as a table, for all faces and for large enough faces."""
    large = judged.sizes_px >= JUDGED_SIZE_PX
    groups = [
        ("all", judged),
        (f"{JUDGED_SIZE_PX} px and up", judged.where(large)),
        (f"{JUDGED_SIZE_PX} px and up, found by the detector", judged.where(large & judged.found)),
    ]
    figures: dict[str, Callable[[JudgedFaces], object]] = {
        "faces": lambda j: len(j.labels),
        "accuracy, three classes": lambda j: scores.accuracy(j.probabilities, j.labels),
        "accuracy, mask or no mask": lambda j: scores.mask_accuracy(j.probabilities, j.labels),
        "area under ROC, mask or no mask": lambda j: f"{_area(j):.4f}",
        "macro-F1": lambda j: f"{scores.macro_f1(j.probabilities, j.labels):.3f}",
        f"accuracy of the surest {COVERAGE:.0%}": lambda j: scores.accuracy_at_coverage(
            j.probabilities, j.labels, COVERAGE
        ),
        "expected calibration error": lambda j: (
            f"{calibration_error(j.probabilities, j.labels):.3f}"
        ),
        "bare faces called masked": called_masked,
    }
    header = ["", *(name for name, _ in groups)]
    return markdown_table(
        header, [[name, *(of(group) for _, group in groups)] for name, of in figures.items()]
    )


def called_masked(judged: JudgedFaces) -> Share:
    """Return the share of bare faces that are judged `mask`."""
    bare = judged.labels == scores.NO_MASK
    masked = judged.probabilities[bare].argmax(axis=1) == scores.MASK
    return Share(int(masked.sum()), int(bare.sum()))


def worst_mistakes(judged: JudgedFaces, classifier: MaskClassifier) -> npt.NDArray[np.uint8]:
    """Return a contact sheet of the surest wrong verdicts: label > verdict, certainty, size."""
    wrong = np.flatnonzero(~scores.hits(judged.probabilities, judged.labels))
    certainty = judged.probabilities.max(axis=1)
    worst = wrong[np.argsort(-certainty[wrong], kind="stable")][:WORST]
    faces = [judged.faces[i] for i in worst]
    tiles = [
        (crop, _caption(judged, int(i)))
        for crop, i in zip(cut_crops(classifier, faces), worst, strict=True)
    ]
    return contact_sheet(tiles, columns=10, tile_px=128)


def _area(judged: JudgedFaces) -> float:
    return scores.area_under_roc(*scores.mask_or_not(judged.probabilities, judged.labels))


def _introduction(judged: JudgedFaces, classifier: MaskClassifier) -> str:
    return (
        f"{len(judged.labels)} labelled faces; crops of {classifier.input_size}x"
        f"{classifier.input_size} px around the detector's box, or around the labelled one where "
        "the detector misses the face (in serving such faces never reach the classifier). "
        f"Sizes are the longer side of the labelled box. A verdict is given from "
        f"{classifier.threshold:.2f} on; the tables count the likeliest one, whatever its "
        "probability, but for *answered* and *right of the answered*. "
        "Brackets: 95 % Wilson intervals."
    )


def _confusion(judged: JudgedFaces) -> str:
    counts = scores.confusion(judged.probabilities.argmax(axis=1), judged.labels)
    unsure = judged.probabilities.max(axis=1)
    return markdown_table(
        ["labelled, judged", *JUDGED_VERDICTS, "mean certainty"],
        [
            [name, *counts[i], f"{unsure[judged.labels == i].mean():.3f}"]
            for i, name in enumerate(JUDGED_VERDICTS)
            if (judged.labels == i).any()
        ],
    )


def _by(title: str, keys: Sequence[str], judged: JudgedFaces, threshold: float) -> str:
    rows = []
    for key in sorted(set(keys)):
        some = judged.where(np.array([other == key for other in keys], np.bool_))
        answered = some.where(some.probabilities.max(axis=1) >= threshold)
        given = f"{len(answered.labels) / len(some.labels):.1%}"
        right = scores.accuracy(answered.probabilities, answered.labels)
        recalls = [_recall(some, label) for label in range(len(JUDGED_VERDICTS))]
        accuracy = scores.accuracy(some.probabilities, some.labels)
        rows.append([key.strip(), len(some.labels), accuracy, *recalls, given, right])
    recalls_of = [f"recall {name}" for name in JUDGED_VERDICTS]
    columns = [title, "faces", "accuracy", *recalls_of, "answered", "right of the answered"]
    return markdown_table(columns, rows)


def _recall(judged: JudgedFaces, label: int) -> str:
    of_label = judged.labels == label
    right = scores.hits(judged.probabilities, judged.labels)[of_label]
    return f"{int(right.sum())}/{len(right)}" if len(right) else "-"


def _size_of(side_px: float) -> str:
    low, high = next(pair for pair in pairwise(SIZE_EDGES_PX) if side_px < pair[1])
    # Padded, so that sorting by text sorts by size.
    return f"{low:>6} px and up" if high == SIZE_EDGES_PX[-1] else f"{low:>6} to {high} px"


def _brightness_of(crop: npt.NDArray[np.uint8]) -> str:
    mean = float(crop.mean())
    low, high = next(pair for pair in pairwise(BRIGHTNESS_EDGES) if mean < pair[1])
    return f"{low:>4} to {high} of 255"


def _pose_of(face: LabelledFace) -> str:
    if face.landmarks is None:
        return "not known"
    right_eye, left_eye, nose = face.landmarks[:3]
    eyes = left_eye - right_eye
    along = float((nose - right_eye) @ eyes) / max(float(eyes @ eyes), 1.0)
    return "looks aside" if abs(along - 0.5) >= ASIDE else "frontal"


def _box_of(found: bool) -> str:
    return "detector's" if found else "label's (missed by the detector)"


def _caption(judged: JudgedFaces, number: int) -> str:
    row = judged.probabilities[number]
    label, verdict = JUDGED_VERDICTS[judged.labels[number]], JUDGED_VERDICTS[int(row.argmax())]
    return f"{label[:4]}>{verdict[:4]} {row.max():.2f} {judged.sizes_px[number]:.0f}px"
