"""Keeps the best pictures of the people in view of a camera while an audit draws some of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from contract.people.audits import MOST_PICTURES, Audit, DrawnPerson
from contract.people.people import Person
from contract.people.verdicts import Verdict
from worker.frame import FloatArray, Image, TrackedFrame

SURROUNDINGS: Final = 0.6
"""Of a face's size, on each side of it."""
LONGEST_SIDE_PX: Final = 400
APART_S: Final = 0.4
"""Least time between two pictures of a person, so that they show different moments."""
FORGOTTEN_AFTER_S: Final = 15.0
"""A track that was not seen for so long is over, whether or not it counted."""
JPEG_QUALITY: Final = 90

Drawn = list[tuple[DrawnPerson, Sequence[bytes]]]


@dataclass(frozen=True)
class _Picture:
    quality: float
    captured_at_s: float
    jpeg: bytes


class AuditCapture:
    """The pictures of one camera's people for one audit. Only in this process's memory."""

    def __init__(self, audit: Audit, camera_id: str) -> None:
        self.audit = audit
        self._camera_id = camera_id
        self._pictures: dict[int, list[_Picture]] = {}

    def see(self, frame: TrackedFrame) -> None:
        """Keep what shows a face better than before, by its height and the detector's score."""
        time_s, boxes = frame.taken.message.captured_at_s, frame.detections.boxes
        for index, track in enumerate(frame.tracks):
            kept = self._pictures.setdefault(track.id, [])
            quality = frame.height_px(index) * float(frame.detections.scores[index])
            rival = _rival(kept, time_s)
            if rival is None or quality > rival.quality:
                jpeg = _cut(frame.taken.image, boxes[index])
                kept[:] = [one for one in kept if one is not rival]
                kept.append(_Picture(quality, time_s, jpeg))
        for track_id, kept in list(self._pictures.items()):
            if not kept or max(p.captured_at_s for p in kept) < time_s - FORGOTTEN_AFTER_S:
                del self._pictures[track_id]

    def take(self, people: Sequence[Person]) -> tuple[dict[Verdict, int], Drawn]:
        """Return how many people count, by verdict, and those drawn with their JPEGs."""
        counted: dict[Verdict, int] = {}
        drawn: Drawn = []
        for person in people:
            counted[person.verdict] = counted.get(person.verdict, 0) + 1
            pictures = sorted(self._pictures.pop(person.track_id, []), key=lambda p: -p.quality)
            row = self.audit.draws(self._camera_id, person, len(pictures))
            if row:
                drawn.append((row, [picture.jpeg for picture in pictures]))
        return counted, drawn


def _rival(kept: Sequence[_Picture], time_s: float) -> _Picture | None:
    """Return the picture that a new one would replace; None if there is room."""
    near = [one for one in kept if abs(one.captured_at_s - time_s) < APART_S]
    if near:
        return max(near, key=lambda one: one.quality)
    return min(kept, key=lambda one: one.quality) if len(kept) >= MOST_PICTURES else None


def _cut(image: Image, box: FloatArray) -> bytes:
    """Return a face with its surroundings as a JPEG. image: `(H, W, 3)` BGR; box: `(4,)` xyxy."""
    height, width = image.shape[:2]
    margin = SURROUNDINGS * (box[2:] - box[:2])
    x_min, y_min = np.maximum(box[:2] - margin, 0).astype(int)
    x_max, y_max = np.minimum(box[2:] + margin, (width, height)).astype(int)
    part = image[y_min : max(y_max, y_min + 1), x_min : max(x_max, x_min + 1)]
    scale = min(1.0, LONGEST_SIDE_PX / max(part.shape[:2]))
    scaled = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return encoded.tobytes() if done else b""
