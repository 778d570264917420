"""The interface of face detectors, for any network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The faces of one frame, in pixels of that frame, best score first.

    boxes: (N, 4) float32, `(x_min, y_min, x_max, y_max)`, max edge exclusive, clipped to the
        frame.
    scores: (N,) float32 in 0..1.
    landmarks: (N, 5, 2) float32 `(x, y)`: the person's right eye, left eye, nose tip, right
        and left mouth corner; may lie outside the frame. None from detectors without them.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32] | None = None

    @classmethod
    def empty(cls) -> Detections:
        """No faces."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        """The number of faces."""
        return len(self.scores)

    def where(self, kept: npt.NDArray[np.bool_]) -> Detections:
        """Some of the faces: those for which `kept`, `(N,)`, is true."""
        marks = self.landmarks
        return Detections(
            self.boxes[kept], self.scores[kept], None if marks is None else marks[kept]
        )


class FaceDetector(Protocol):
    """Finds faces in a batch of frames. One instance belongs to one thread."""

    name: str
    device: str
    """The device on which it runs: "cpu" or "cuda"."""
    sure_score: float
    """Score, 0 to 1, from which a detection is a face that is mostly visible."""

    def detect(
        self, frames: Sequence[npt.NDArray[np.uint8]], width_px: int | None = None
    ) -> list[Detections]:
        """Find the faces of each frame: one `Detections` a frame, in order.

        Frames are (H, W, 3) uint8 BGR; sizes may differ inside the batch. They are scaled to
        `width_px`, None: the detector's own; networks with an input of one size ignore it.
        """
        ...


def clip_boxes(boxes: npt.NDArray[np.float32], width: int, height: int) -> npt.NDArray[np.float32]:
    """Clip (N, 4) xyxy boxes to a frame; a box wholly outside comes back with no area."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, np.float32(0), limits).astype(np.float32, copy=False)


def has_area(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Which of (N, 4) xyxy boxes are at least one pixel wide and high: (N,) bool."""
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray((sides >= 1).all(axis=1))
