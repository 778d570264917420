"""How good a network is on photographs held out of its training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt

from face_detector.anchors import in_frame
from face_detector.detection import Detections
from face_detector.evaluation.accuracy import average_precision, judge, recall_by_size
from face_detector.evaluation.inputs import padded_to, scaled_to
from models.coco import Photograph

Floats = npt.NDArray[np.float32]

LEAST_SCORE: Final = 0.05
BATCH_SIZE: Final = 4


class HeldOutJudge:
    """Average precision and small-face recall of a Keras network on some photographs."""

    def __init__(self, photographs: Sequence[Photograph], side_px: int) -> None:
        self._photographs, self._side_px = photographs, side_px

    def __call__(self, model: Any) -> dict[str, float]:
        """`held_out_ap`, and `held_out_small_recall` of faces of 8 to 16 px at a score of 0.3."""
        judged = []
        for start in range(0, len(self._photographs), BATCH_SIZE):
            batch = self._photographs[start : start + BATCH_SIZE]
            found = detect(model, [photograph.read() for photograph in batch], self._side_px)
            judged += [judge(p, faces) for p, faces in zip(batch, found, strict=True)]
        found_small, all_small = recall_by_size(judged, 0.3)[0]
        figures = {"held_out_ap": average_precision(judged)}
        if all_small:
            figures["held_out_small_recall"] = found_small / all_small
        return figures


def detect(model: Any, images: Sequence[npt.NDArray[np.uint8]], side_px: int) -> list[Detections]:
    """The faces that a Keras network finds with each image's longer side at `side_px`."""
    scaled = [scaled_to(image, side_px) for image in images]
    pixels = np.stack([padded_to(image, side_px, side_px) for image, _ in scaled])
    outputs = np.array(keras.ops.convert_to_numpy(model.predict_on_batch(pixels)), np.float32)
    outputs[..., :2] = 1 / (1 + np.exp(-outputs[..., :2]))
    found = []
    for rows, (_, scale) in zip(outputs, scaled, strict=True):
        canvas = round(side_px / scale)
        found.append(in_frame(rows, (side_px, side_px), (canvas, canvas), LEAST_SCORE))
    return found
