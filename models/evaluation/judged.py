"""A classifier's probabilities for labelled faces, cropped as serving crops them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.people.verdicts import JUDGED_VERDICTS
from models.crops import crop_faces
from models.evaluation.scores import Labels, Probabilities
from models.labelled_faces import LabelledFace
from models.mask_classifier import MaskClassifier

AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFaces:
    """Faces, their labels (N,) int64, and a classifier's probabilities for them, (N, 3) float32.

    The columns are the three verdicts. A row sums to 1 minus the probability of `unknown`.
    """

    faces: tuple[LabelledFace, ...]
    labels: Labels
    probabilities: Probabilities

    @property
    def sizes_px(self) -> npt.NDArray[np.float64]:
        """The longer side of each labelled box: (N,)."""
        return np.array([face.longer_side_px for face in self.faces], np.float64)

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """Whether the detector finds each face: (N,)."""
        return np.array([face.detector_box is not None for face in self.faces], np.bool_)

    @property
    def sources(self) -> npt.NDArray[np.str_]:
        return np.array([face.source for face in self.faces])

    def where(self, chosen: npt.NDArray[np.bool_]) -> JudgedFaces:
        """Some of the faces, by a (N,) mask."""
        faces = tuple(face for face, kept in zip(self.faces, chosen, strict=True) if kept)
        return JudgedFaces(faces, self.labels[chosen], self.probabilities[chosen])

    def relabelled(self, faces: Sequence[LabelledFace]) -> JudgedFaces:
        """The same faces with other labels, in the same order; what follows them is left out."""
        labels = np.array([face.label for face in faces[: len(self.faces)]], np.int64)
        return JudgedFaces(self.faces, labels, self.probabilities)


def judge(classifier: MaskClassifier, faces: Sequence[LabelledFace]) -> JudgedFaces:
    """Judge each face around the detector's box, or its label if the detector misses it.

    Raises DataError like `Photograph.read`.
    """
    crops = cut_crops(classifier, faces)
    batches = [
        classifier.classify(crops[start : start + AT_ONCE])[:, : len(JUDGED_VERDICTS)]
        for start in range(0, len(crops), AT_ONCE)
    ]
    probabilities = np.concatenate(batches) if batches else np.zeros((0, 3), np.float32)
    labels = np.array([face.label for face in faces], np.int64)
    return JudgedFaces(tuple(faces), labels, probabilities)


def cut_crops(classifier: MaskClassifier, faces: Sequence[LabelledFace]) -> npt.NDArray[np.uint8]:
    """(N, S, S, 3) uint8 BGR crops in the order of `faces`; reads each photograph once."""
    side = classifier.input_size
    crops = np.zeros((len(faces), side, side, 3), np.uint8)
    by_photograph: dict[int, list[int]] = defaultdict(list)
    for number, face in enumerate(faces):
        by_photograph[id(face.photograph)].append(number)
    for numbers in by_photograph.values():
        image = faces[numbers[0]].photograph.read()
        boxes = np.stack([faces[number].boxes[0] for number in numbers])
        crops[numbers] = crop_faces(image, boxes, margin=classifier.margin, size=side)
    return crops
