"""One frame on its way through a worker: taken, detected, tracked, looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contract.cameras.camera import Camera
from contract.people.faces import Face, FrameFaces
from contract.pictures.frames import FrameMessage
from face_detector.detection import Detections
from worker.tracking.track import Track

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class TakenFrame:
    """A frame that was read and decoded."""

    camera: Camera
    message: FrameMessage
    image: Image
    """`(H, W, 3)` uint8 BGR."""
    late: bool = False
    """Analysed to count its people, and too old to be shown."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        height, width = self.image.shape[:2]
        return width, height


@dataclass(frozen=True, eq=False)
class DetectedFrame:
    """A frame with all that its detector found."""

    taken: TakenFrame
    detector: str
    detections: Detections
    sure_score: float
    """A detection below this score begins no track."""


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """A frame with its faces and whose they are."""

    taken: TakenFrame
    detector: str
    detections: Detections
    """Detections that belong to a track."""
    sure_score: float
    """As in `DetectedFrame`."""
    tracks: list[Track]
    """The track of each detection, in order."""
    ended: list[Track]

    def height_px(self, index: int) -> float:
        """Of one face."""
        box = self.detections.boxes[index]
        return float(box[3] - box[1])

    def faces(self, analysed_at_s: float) -> FrameFaces:
        """Return the record of the frame, with the present verdicts."""
        message, (width, height) = self.taken.message, self.taken.size
        found = zip(self.detections.boxes, self.detections.scores, self.tracks, strict=True)
        return FrameFaces(
            camera_id=message.camera_id,
            sequence=message.sequence,
            frame_index=message.frame_index,
            captured_at_s=message.captured_at_s,
            analysed_at_s=analysed_at_s,
            width=width,
            height=height,
            detector=self.detector,
            faces=tuple(_face(box, score, track) for box, score, track in found),
        )


@dataclass(frozen=True, eq=False)
class FaceLook:
    """One classification of one face of a tracked frame."""

    index: int
    """Of the face, among the frame's."""
    probabilities: FloatArray
    """`(3,)` in the order of `JUDGED_VERDICTS`."""
    weight: float
    """How good the view was, 0 to 1: see `worker.verdicts.evidence`, also for the next two."""
    frontality: float
    sharpness: float
    brightness: float
    """Mean grey value of the face, 0 to 255."""
    unjudgeable: float
    """Probability that the face cannot be judged."""


def _face(box: FloatArray, score: np.float32, track: Track) -> Face:
    x_min, y_min, x_max, y_max = (round(float(edge), 1) for edge in box)
    return Face(
        box=(x_min, y_min, x_max, y_max),
        score=round(float(score), 4),
        verdict=track.verdict,
        confidence=round(track.votes.confidence, 4),
        track_id=track.id,
    )
