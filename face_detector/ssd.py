"""OpenCV's res10 SSD in cv2.dnn: the detector of the demo that Maskwatch grew out of.

Both of its published forms load: Caffe (`.caffemodel` with `.prototxt`) and 8-bit TensorFlow
(`.pb` with `.pbtxt`). It sees every frame squeezed to 300x300, so it misses faces
below about a twelfth of the frame's width (docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError
from face_detector.detection import Detections, clip_boxes, has_area

INPUT_SIDE: Final = 300
MEAN_BGR: Final = (104.0, 177.0, 123.0)
DEFAULT_SCORE_THRESHOLD: Final = 0.5
MAX_BATCH: Final = 16
COLUMNS: Final = 7
"""Columns of the output: image index, class, score, then x_min, y_min, x_max, y_max in 0..1."""


class SsdDetector:
    """Finds large faces; in Caffe form, frames of any size share one run of the network."""

    name = "ssd"
    device = "cpu"
    """Always the CPU, because OpenCV's wheels are built without CUDA."""

    def __init__(
        self,
        weights: Path,
        description: Path,
        *,
        score_threshold: float = DEFAULT_SCORE_THRESHOLD,
    ) -> None:
        self._network = _read_network(weights, description)
        # The TensorFlow form's graph is frozen for one image; OpenCV 4.14 throws on more.
        self._batch_size = MAX_BATCH if weights.suffix == ".caffemodel" else 1
        self.score_threshold = self.sure_score = score_threshold

    def detect(
        self, frames: Sequence[npt.NDArray[np.uint8]], width_px: int | None = None
    ) -> list[Detections]:
        """Find faces; the network itself suppresses overlapping boxes."""
        found = [Detections.empty()] * len(frames)
        seen = [index for index, frame in enumerate(frames) if frame.size]
        for start in range(0, len(seen), self._batch_size):
            batch = seen[start : start + self._batch_size]
            rows = self._run([frames[index] for index in batch])
            for position, index in enumerate(batch):
                height, width = frames[index].shape[:2]
                found[index] = self._decode(rows[rows[:, 0] == position], width, height)
        return found

    def _run(self, frames: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """All faces of all frames: (N, 7) float32, see `COLUMNS`."""
        # Scale here, because blobFromImages requires equal sizes.
        scaled = [cv2.resize(frame, (INPUT_SIDE, INPUT_SIDE)) for frame in frames]
        self._network.setInput(cv2.dnn.blobFromImages(scaled, 1.0, mean=MEAN_BGR, swapRB=False))
        return np.asarray(self._network.forward(), np.float32).reshape(-1, COLUMNS)

    def _decode(self, rows: npt.NDArray[np.float32], width: int, height: int) -> Detections:
        rows = rows[rows[:, 2] >= self.score_threshold]
        rows = rows[np.argsort(-rows[:, 2], kind="stable")]
        scale = np.array([width, height, width, height], np.float32)
        boxes = clip_boxes(rows[:, 3:] * scale, width, height)
        kept = has_area(boxes)
        return Detections(boxes[kept], rows[kept, 2].copy())


def _read_network(weights: Path, description: Path) -> Any:
    """Load either form; the weights' suffix tells which."""
    try:
        if weights.suffix == ".caffemodel":
            return cv2.dnn.readNetFromCaffe(str(description), str(weights))
        if weights.suffix == ".pb":
            return cv2.dnn.readNetFromTensorflow(str(weights), str(description))
    except cv2.error as error:
        raise ModelFormatError(
            f"{weights} with {description} cannot be opened as a network: {error}"
        ) from error
    raise ModelFormatError(
        f"{weights} must be a .caffemodel (with a .prototxt) or a .pb (with a .pbtxt)"
    )
