"""Faces and verdicts of one still image: no track, so each face is judged by this look alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from contract.people.faces import Face
from contract.people.verdicts import JUDGED_VERDICTS, VERDICTS, Verdict
from contract.pictures.uploads import ImageFace, ImageResult
from face_detector.detection import Detections
from models.crops import crop_faces
from worker.drawing import annotate
from worker.networks import Networks
from worker.verdicts.evidence import LEAST_FACE_PX

Image = npt.NDArray[np.uint8]


def judge_image(networks: Networks, image: Image) -> ImageResult:
    """Find and judge the faces of an image, `(H, W, 3)` uint8 BGR, from left to right.

    The cameras' own rules for one look: a face is judged from `LEAST_FACE_PX` on, and gets a
    verdict from the classifier's threshold on; otherwise it is `unknown`.
    """
    detector = networks.detector_name(None)
    found = networks.detect(detector, [image])[0]
    order = np.argsort(found.boxes[:, 0], kind="stable")
    found = Detections(found.boxes[order], found.scores[order])
    probabilities = _classify(networks, image, found)
    faces = tuple(
        _face(box, score, row, networks.classifier.threshold)
        for box, score, row in zip(found.boxes, found.scores, probabilities, strict=True)
    )
    height, width = image.shape[:2]
    return ImageResult(width, height, detector, faces)


def draw_image(image: Image, faces: Sequence[ImageFace]) -> bytes:
    """The image with its faces as a JPEG, at most 1280 pixels wide."""
    drawn = [
        Face(face.box, face.score, face.verdict, face.confidence, number)
        for number, face in enumerate(faces, start=1)
    ]
    return annotate(image, drawn)


def _classify(
    networks: Networks, image: Image, found: Detections
) -> list[npt.NDArray[np.float32] | None]:
    """Probabilities of each face, `(4,)` in `VERDICTS` order; None when too small."""
    large = [i for i, box in enumerate(found.boxes) if box[3] - box[1] >= LEAST_FACE_PX]
    judged: list[npt.NDArray[np.float32] | None] = [None] * len(found)
    if large:
        classifier = networks.classifier
        boxes = found.boxes[large]
        crops = crop_faces(image, boxes, margin=classifier.margin, size=classifier.input_size)
        for index, row in zip(large, networks.classify(crops), strict=True):
            judged[index] = row
    return judged


def _face(
    box: npt.NDArray[np.float32],
    score: np.float32,
    probabilities: npt.NDArray[np.float32] | None,
    threshold: float,
) -> ImageFace:
    x_min, y_min, x_max, y_max = (round(float(edge), 1) for edge in box)
    verdict: Verdict = "unknown"
    confidence = 0.0
    by_verdict: dict[str, float] = {}
    if probabilities is not None:
        best = int(probabilities[: len(JUDGED_VERDICTS)].argmax())
        by_verdict = {
            name: round(float(part), 4) for name, part in zip(VERDICTS, probabilities, strict=True)
        }
        if probabilities[best] >= threshold:
            verdict, confidence = JUDGED_VERDICTS[best], round(float(probabilities[best]), 4)
    return ImageFace(
        (x_min, y_min, x_max, y_max), round(float(score), 4), verdict, confidence, by_verdict
    )
