"""Figures of a classifier on labelled faces, as Markdown.

    python -m face_detector.annotate --images ../shared/data/val/images --out out/boxes_val.json
    python -m models.training.evaluate --data ../shared/data/val --boxes out/boxes_val.json

Crops are cut as serving does: around the detector's box, or the labelled one where the
detector misses the face (such faces never reach the classifier in serving; they are shown
apart).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract.verdicts import JUDGED_VERDICTS
from models.crops import crop_faces
from models.loading import RUNTIMES, load_classifier
from models.mask_classifier import MaskClassifier
from models.training.dataset import FacePatch, LabelledFace, cut_patches, read_faces

SIZE_EDGES_PX: Final = (0, 16, 24, 32, 48, 96, 100_000)
CALIBRATION_BINS: Final = 10


def evaluate(classifier: MaskClassifier, patches: Sequence[FacePatch]) -> str:
    """A Markdown report: overall, confusion, by source, by face size, by who drew the box."""
    faces = [patch.face for patch in patches]
    labels = np.array([face.label for face in faces])
    probabilities = predict(classifier, patches)
    verdicts = probabilities.argmax(axis=1)
    tables = [
        _summary(probabilities, labels),
        _confusion(verdicts, labels),
        _by("source", [face.source for face in faces], verdicts, labels),
        _by("longer side", [_size_of(face) for face in faces], verdicts, labels),
        _by("box", [_box_of(face) for face in faces], verdicts, labels),
    ]
    return "\n\n".join(tables)


def predict(
    classifier: MaskClassifier, patches: Sequence[FacePatch], batch_size: int = 64
) -> npt.NDArray[np.float32]:
    """Probabilities (N, 3) for each patch's first box."""
    crops = [
        crop_faces(
            patch.image, patch.boxes[0][None], margin=classifier.margin, size=classifier.input_size
        )
        for patch in patches
    ]
    batches = [
        classifier.classify(np.concatenate(crops[start : start + batch_size]))
        for start in range(0, len(crops), batch_size)
    ]
    return np.concatenate(batches)


def calibration_error(
    probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> float:
    """Expected calibration error: how far certainty and accuracy lie apart, over ten bins."""
    certainty = probabilities.max(axis=1)
    hits = probabilities.argmax(axis=1) == labels
    bins = np.minimum((certainty * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = [
        abs(float(certainty[bins == b].mean() - hits[bins == b].mean())) * float((bins == b).mean())
        for b in np.unique(bins)
    ]
    return float(sum(gaps))


def _summary(probabilities: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> str:
    verdicts = probabilities.argmax(axis=1)
    recalls = [(verdicts[labels == label] == label).mean() for label in np.unique(labels)]
    error = calibration_error(probabilities, labels)
    return (
        f"{len(labels)} faces: accuracy {(verdicts == labels).mean():.1%}, mean recall "
        f"{np.mean(recalls):.1%}, expected calibration error {error:.3f}"
    )


def _confusion(verdicts: npt.NDArray[Any], labels: npt.NDArray[np.int64]) -> str:
    rows = [
        [name, *(str(int(((labels == i) & (verdicts == j)).sum())) for j in range(3))]
        for i, name in enumerate(JUDGED_VERDICTS)
    ]
    return _table(["labelled, judged", *JUDGED_VERDICTS], rows)


def _by(
    title: str, keys: list[str], verdicts: npt.NDArray[Any], labels: npt.NDArray[np.int64]
) -> str:
    rows = []
    for key in sorted(set(keys)):
        chosen = np.array([other == key for other in keys])
        recall = _recalls(verdicts[chosen], labels[chosen])
        accuracy = (verdicts[chosen] == labels[chosen]).mean()
        rows.append([key.strip(), str(int(chosen.sum())), f"{accuracy:.1%}", *recall])
    header = [title, "faces", "accuracy", *(f"recall {name}" for name in JUDGED_VERDICTS)]
    return _table(header, rows)


def _recalls(verdicts: npt.NDArray[Any], labels: npt.NDArray[np.int64]) -> list[str]:
    cells = []
    for label in range(len(JUDGED_VERDICTS)):
        of_label = labels == label
        hits = int((verdicts[of_label] == label).sum())
        cells.append(f"{hits}/{int(of_label.sum())}" if of_label.any() else "-")
    return cells


def _size_of(face: LabelledFace) -> str:
    low, high = next(pair for pair in pairwise(SIZE_EDGES_PX) if face.longer_side_px < pair[1])
    # Padded, so that sorting by text sorts by size.
    return f"{low:>6} px and up" if high == SIZE_EDGES_PX[-1] else f"{low:>6} to {high} px"


def _box_of(face: LabelledFace) -> str:
    return "label's (missed by the detector)" if face.detector_box is None else "detector's"


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Evaluate a mask classifier.")
    parser.add_argument("--data", type=Path, required=True, help="folder of annotations.json")
    parser.add_argument("--boxes", type=Path, help="what face_detector.annotate wrote for it")
    parser.add_argument("--runtime", choices=RUNTIMES, default="onnx")
    parser.add_argument("--classifier", type=Path, help="unset: the one that ships")
    options = parser.parse_args(arguments)
    faces = read_faces(options.data / "annotations.json", options.boxes)
    patches = cut_patches(faces, options.data / "images")
    print(evaluate(load_classifier(options.runtime, path=options.classifier), patches))


if __name__ == "__main__":
    main()
