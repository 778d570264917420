"""People who pass a camera as bright rectangles, and a detector that finds such: the picture alone
says who is there, so frames may be repeated, lost, swapped and analysed by any process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from face_detector.detection import Detections
from tests.builders import Image

WIDTH: Final = 640
HEIGHT: Final = 480
FACE: Final = (30, 40)
LANE_HEIGHT: Final = 80
FRAME_S: Final = 0.2
STEP_PX: Final = 9
"""How far a person walks between two frames."""


@dataclass(frozen=True)
class Passer:
    """One person, walking along a lane of the picture from one frame to another."""

    lane: int
    first: int
    last: int

    def box(self, frame: int) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom in pixels; None while out of the picture."""
        if not self.first <= frame <= self.last:
            return None
        left, top = 20 + STEP_PX * (frame - self.first), 20 + LANE_HEIGHT * self.lane
        return left, top, left + FACE[0], top + FACE[1]


def picture(passers: Sequence[Passer], frame: int) -> bytes:
    """The JPEG of one frame."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for passer in passers:
        if box := passer.box(frame):
            image[box[1] : box[3], box[0] : box[2]] = 255
    encoded, data = cv2.imencode(".jpg", image)
    assert encoded
    return data.tobytes()


class RectangleDetector:
    """Finds the bright rectangles."""

    name = "yunet"
    device = "cpu"
    sure_score = 0.6

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        return [self._find(frame) for frame in frames]

    @staticmethod
    def _find(frame: Image) -> Detections:
        bright = (frame[:, :, 0] > 127).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(bright)
        corners = [(x, y, x + w, y + h) for x, y, w, h, area in stats[1:] if area > 100]
        boxes = np.array(corners, np.float32).reshape(-1, 4)
        return Detections(boxes, np.full(len(boxes), 0.9, np.float32))
