"""One face over time: where it moves, how often it was seen, and how its mask is worn."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import field

from contract.people.verdicts import Verdict
from worker.saved_state import Amount, Count, Moment, Pixels, Place, Record, Signed
from worker.tracking.course import Box
from worker.tracking.motion import BoxMotion
from worker.tracking.passage import Passage
from worker.tracking.still_view import StillView
from worker.verdicts.votes import Votes

FloatArray = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

STILL_WITHIN: Final = 0.25
"""A face is still if it never strayed farther than this from its first place, in face heights.
Standing people sway, shift and turn more within a minute. A poster's box only jitters (0.03)."""
STILL_AFTER_S: Final = 1.0
"""Seconds that a face must be seen before it can count as still."""
PICTURE_AFTER_S: Final = 5.0
"""Seconds after which a still face that looks the same in every frame counts as a picture."""

HARDLY_JUDGEABLE: Final = 0.8
"""A face that the classifier could not judge with this mean probability is probably none."""


class Track(Record):
    """One face over time.

    Times are the camera's, in seconds, to the millisecond, as they are saved; lengths are pixels.
    """

    id: Count
    motion: BoxMotion
    first_seen_s: Moment
    last_seen_s: Moment
    first_place: Place
    """The face's centre when first seen."""
    unmoved_s: Amount = 0.0
    """How long before `last_seen_s` the picture last showed something new: a frozen picture is
    seen, but shows nothing."""
    sightings: Count = 1
    """Frames in which its box lay on no older track's face."""
    doubled: Count = 0
    """Frames in which its box lay on the face of an older track."""
    best_face_px: Pixels = 0.0
    best_score: Amount = 0.0
    strayed: Amount = 0.0
    """Farthest from `first_place`, in face heights."""
    static: bool = False
    """Whether it counts as a picture of a face, such as a poster."""
    votes: Votes = field(default_factory=Votes)
    passage: Passage = field(default_factory=Passage)
    view: StillView = field(default_factory=StillView)
    """Of its first place; nothing once it has moved."""
    sureness: Signed = 0.0
    """Sum over its boxes: the detector's score above the score that begins a track."""
    unjudgeable: Signed = 0.0
    """Sum over its looks: the probability that it cannot be judged, above `HARDLY_JUDGEABLE`."""

    @classmethod
    def begin(cls, track_id: int, box: FloatArray, score: float, time_s: float) -> Track:
        """Start a track at a detection, `(4,)` corners."""
        x, y = _centre(box)
        track = cls(track_id, BoxMotion.at(box), time_s, time_s, (round(x, 1), round(y, 1)))
        track._admire(box, score)
        return track

    @property
    def verdict(self) -> Verdict:
        """How the mask is worn now."""
        return self.votes.now

    @property
    def moved_at_s(self) -> float:
        """When the picture last showed something new."""
        return round(self.last_seen_s - self.unmoved_s, 3)

    @property
    def seen_for_s(self) -> float:
        return round(self.last_seen_s - self.first_seen_s, 3)

    @property
    def is_still(self) -> bool:
        """Whether it has stayed where it was first seen, so far."""
        return self.strayed <= STILL_WITHIN and self.seen_for_s >= STILL_AFTER_S

    @property
    def is_picture(self) -> bool:
        """Whether it has neither moved nor looked otherwise for a while."""
        return self.is_still and self.seen_for_s >= PICTURE_AFTER_S and self.view.is_picture

    @property
    def is_no_face(self) -> bool:
        """Whether both networks doubt that it is a face, on average."""
        return self.sureness < 0 < self.unjudgeable

    def see(self, box: FloatArray, score: float, time_s: float, doubled: bool) -> None:
        """Follow the face to a detection of a later frame."""
        self.motion.update(box, max(time_s - self.moved_at_s, 1e-3))
        self.last_seen_s, self.unmoved_s = max(time_s, self.last_seen_s), 0.0
        self._count(doubled)
        self._admire(box, score)
        x, y = _centre(self.motion.box)
        far = math.hypot(x - self.first_place[0], y - self.first_place[1]) / self.motion.height
        self.strayed = max(self.strayed, round(far, 3))

    def see_again(self, time_s: float, doubled: bool) -> None:
        """Count a repeated picture: it shows the face, but not where the face goes."""
        moved_at_s = self.moved_at_s
        self.last_seen_s = max(time_s, self.last_seen_s)
        self.unmoved_s = round(self.last_seen_s - moved_at_s, 3)
        self._count(doubled)

    def add_score(self, above_first: float) -> None:
        """Add a box's score, above the score that begins a track."""
        self.sureness = round(self.sureness + above_first, 3)

    def add_unjudgeable(self, probability: float) -> None:
        """Add a look's probability that the face cannot be judged."""
        self.unjudgeable = round(self.unjudgeable + probability - HARDLY_JUDGEABLE, 3)

    def look_at_place(self, image: Image) -> None:
        """Compare what is seen at a still face's place; `image` is `(H, W, 3)` uint8 BGR.

        A repeated picture says nothing.
        """
        if self.strayed > STILL_WITHIN:
            if self.view.side:
                self.view = StillView()
        elif not self.unmoved_s:
            self.view.see(image, self.first_place, self.motion.height)

    def shift(self, offset: FloatArray) -> None:
        """Follow a camera that was moved."""
        self.motion.shift(offset)
        self.first_place = (
            round(self.first_place[0] + float(offset[0]), 1),
            round(self.first_place[1] + float(offset[1]), 1),
        )

    def _count(self, doubled: bool) -> None:
        self.doubled += doubled
        self.sightings += not doubled

    def _admire(self, box: FloatArray, score: float) -> None:
        self.best_face_px = max(self.best_face_px, round(float(box[3] - box[1]), 1))
        self.best_score = max(self.best_score, round(score, 3))


def _centre(box: FloatArray | Box) -> tuple[float, float]:
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
