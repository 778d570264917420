"""Two public networks that find masked and unmasked faces, to compare with. Not for serving.

Their files are in no release of ours; the comparison leaves out what is not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError
from face_detector.anchors import Floats, suppress
from face_detector.detection import Detections, clip_boxes, has_area
from models.onnx_session import open_session

Image = npt.NDArray[np.uint8]

RFB_NAME: Final = "RFB-640-masked_face-v2.onnx"
AIZOO_NAMES: Final = ("aizoo_face_mask_detection.caffemodel", "aizoo_face_mask_detection.prototxt")


class RfbPeer:
    """RFB-640 of Ultra-Light-Fast-Generic-Face-Detector's family, with a class for masks (MIT).

    Sees every frame as 640x480 RGB, (value - 127) / 128; gives background, bare and masked.
    """

    name = "rfb640-masked"
    device = "cpu"

    def __init__(self, path: Path, *, score_threshold: float, threads: int = 0) -> None:
        self._session = open_session(path, device="cpu", threads=threads)
        self.score_threshold = self.sure_score = score_threshold

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Image) -> Detections:
        blob = cv2.dnn.blobFromImage(frame, 1 / 128, (640, 480), (127, 127, 127), swapRB=True)
        scores, boxes = self._session.run(["scores", "boxes"], {"input": blob})
        surest = np.asarray(scores[0][:, 1:].max(axis=1), np.float32)
        return _kept(np.asarray(boxes[0], np.float32), surest, frame, self.score_threshold)


class AizooPeer:
    """AIZOO's FaceMaskDetection, an SSD of five levels (MIT); sees 260x260 RGB in 0..1.

    Its anchors and variances are those of its `anchor_generator.py` and `anchor_decode.py`.
    """

    name = "aizoo"
    device = "cpu"
    side_px: Final = 260
    grids: Final = (33, 17, 9, 5, 3)
    sizes: Final = ((0.04, 0.056), (0.08, 0.11), (0.16, 0.22), (0.32, 0.45), (0.64, 0.72))
    ratios: Final = (1.0, 0.62, 0.42)
    variances: Final = (0.1, 0.1, 0.2, 0.2)
    outputs: Final = ("loc_branch_concat", "cls_branch_concat")

    def __init__(self, weights: Path, description: Path, *, score_threshold: float) -> None:
        try:
            self._network = cv2.dnn.readNetFromCaffe(str(description), str(weights))
        except cv2.error as error:
            raise ModelFormatError(f"{weights} cannot be opened as a network: {error}") from error
        self.score_threshold = self.sure_score = score_threshold
        self._anchors = self._make_anchors()

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        return [self._one(frame) for frame in frames]

    def _one(self, frame: Image) -> Detections:
        size = (self.side_px, self.side_px)
        self._network.setInput(cv2.dnn.blobFromImage(frame, 1 / 255, size, swapRB=True))
        offsets, classes = self._network.forward(self.outputs)
        offsets = np.asarray(offsets, np.float32).reshape(-1, 4) * np.array(self.variances)
        sizes = self._anchors[:, 2:] - self._anchors[:, :2]
        centres = (self._anchors[:, 2:] + self._anchors[:, :2]) / 2 + offsets[:, :2] * sizes
        halves = np.exp(offsets[:, 2:]) * sizes / 2
        boxes = np.hstack([centres - halves, centres + halves]).astype(np.float32)
        surest = np.asarray(classes, np.float32).reshape(len(boxes), -1).max(axis=1)
        return _kept(boxes, surest, frame, self.score_threshold)

    def _make_anchors(self) -> Floats:
        """(5972, 4) xyxy as shares of the image."""
        levels = []
        for grid, sizes in zip(self.grids, self.sizes, strict=True):
            y, x = (np.mgrid[:grid, :grid] + 0.5) / grid
            shapes = [(size * 1.0, size * 1.0) for size in sizes]
            shapes += [(sizes[0] * r**0.5, sizes[0] / r**0.5) for r in self.ratios[1:]]
            halves = np.array(shapes)[None, None] / 2
            centres = np.stack([x, y], axis=-1)[:, :, None]
            levels.append(np.concatenate([centres - halves, centres + halves], -1).reshape(-1, 4))
        return np.concatenate(levels).astype(np.float32)


def _kept(boxes: Floats, scores: Floats, frame: Image, score_threshold: float) -> Detections:
    """Boxes in shares of a frame to its faces."""
    height, width = frame.shape[:2]
    likely = np.flatnonzero(scores >= score_threshold)
    boxes = boxes[likely] * np.array([width, height, width, height], np.float32)
    boxes, scores = clip_boxes(boxes, width, height), scores[likely]
    fine = has_area(boxes)
    boxes, scores = boxes[fine], scores[fine]
    kept = suppress(boxes, scores, score_threshold)
    return Detections(boxes[kept], scores[kept])
