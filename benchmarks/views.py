"""How much more often the mask classifier errs on blurred and averted faces.

python -m benchmarks.views

On `../shared/data/val` without `wider` (all bare), faces that the default detector finds, as they
are and blurred twice. Prints the share judged wrongly by the sharpness and frontality that
`worker.verdicts.evidence` measures.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.scenes.classifier_data import labelled_faces
from benchmarks.system import machine, print_result
from contract.people.verdicts import JUDGED_VERDICTS
from models.evaluation.judged import cut_crops
from models.labelled_faces import LabelledFace
from models.loading import load_classifier
from worker.verdicts.evidence import LEAST_FACE_PX, frontality_of, sharpness_of

BLURS: tuple[float, ...] = (0.0, 2.0, 4.0)
"""Gaussian, standard deviations in pixels of a crop of 128."""
POOR_SHARPNESS = 0.03
POOR_FRONTALITY = 0.5
AT_ONCE = 32


def main() -> None:
    print(machine())
    classifier = load_classifier("onnx")
    faces = [face for face in labelled_faces("val") if _counts(face)]
    labels = np.array([face.label for face in faces])
    crops = cut_crops(classifier, faces)
    sharpness, wrong = [], []
    for blur in BLURS:
        seen = [_blurred(crop, blur) for crop in crops]
        parts = [
            classifier.classify(np.stack(seen[start : start + AT_ONCE]))
            for start in range(0, len(seen), AT_ONCE)
        ]
        sharpness.append([sharpness_of(crop) for crop in seen])
        wrong.append(np.concatenate(parts)[:, : len(JUDGED_VERDICTS)].argmax(axis=1) != labels)
    frontality = np.array([frontality_of(face.landmarks) for face in faces])
    blurred = np.concatenate(sharpness) < POOR_SHARPNESS
    _compare(f"sharpness below {POOR_SHARPNESS}", blurred, np.concatenate(wrong))
    _compare(f"frontality below {POOR_FRONTALITY}", frontality < POOR_FRONTALITY, wrong[0])


def _counts(face: LabelledFace) -> bool:
    box = face.detector_box
    return (
        box is not None
        and float(box[3] - box[1]) >= LEAST_FACE_PX
        and face.source != "wider"
        and face.landmarks is not None
    )


def _blurred(crop: npt.NDArray[np.uint8], blur: float) -> npt.NDArray[np.uint8]:
    if not blur:
        return crop
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), blur * crop.shape[0] / 128), np.uint8)


def _compare(what: str, poor: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_]) -> None:
    """Print the share judged wrongly of poor views and of the others."""
    shares = [round(float(wrong[some].mean()) * 100, 1) for some in (poor, ~poor)]
    figure = f"{shares[0]} of {int(poor.sum())} faces, others {shares[1]} of {int((~poor).sum())}"
    print_result(f"views, {what}", figure, "% judged wrongly", "more", shares[0] > shares[1])


if __name__ == "__main__":
    main()
