"""One face over time: where it moves, how often it was seen, what is known of its mask."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract.people.verdicts import Verdict
from worker.tracking.motion import Box, BoxMotion
from worker.tracking.passage import Passage
from worker.verdicts.votes import Votes

FloatArray = npt.NDArray[np.float32]

STILL_WITHIN: Final = 0.25
"""A face that never strayed farther than this from where it was first, in face heights, is still.
Standing people sway, shift and turn more within a minute; a poster's box only jitters (0.03)."""
STILL_AFTER_S: Final = 1.0
"""Whether a face is still shows only after a while."""


@dataclass
class Track:
    """One face over time.

    Times are the camera's, in seconds, to the millisecond, as they are saved; lengths are pixels.
    """

    id: int
    motion: BoxMotion
    first_seen_s: float
    last_seen_s: float
    moved_at_s: float
    """When the picture last showed something new: a frozen picture is seen, but shows nothing."""
    first_place: tuple[float, float]
    """The face's centre when first seen."""
    sightings: int = 1
    """Frames in which it was found by itself ..."""
    doubled: int = 0
    """... and on the face of somebody found before it."""
    best_face_px: float = 0.0
    best_score: float = 0.0
    strayed: float = 0.0
    """Farthest from `first_place`, in face heights."""
    static: bool = False
    """Whether it has been taken for a picture of a face."""
    votes: Votes = field(default_factory=Votes)
    passage: Passage = field(default_factory=Passage)

    @classmethod
    def begin(cls, track_id: int, box: FloatArray, score: float, time_s: float) -> Track:
        """Start a track at a detection, `(4,)` corners."""
        x, y = _centre(box)
        track = cls(track_id, BoxMotion(box), time_s, time_s, time_s, (round(x, 1), round(y, 1)))
        track._admire(box, score)
        return track

    @property
    def verdict(self) -> Verdict:
        """How the mask is worn now."""
        return self.votes.now

    @property
    def seen_for_s(self) -> float:
        return round(self.last_seen_s - self.first_seen_s, 3)

    @property
    def is_still(self) -> bool:
        """Whether it has stayed where it was first seen, so far."""
        return self.strayed <= STILL_WITHIN and self.seen_for_s >= STILL_AFTER_S

    def see(self, box: FloatArray, score: float, time_s: float, doubled: bool) -> None:
        """Follow the face to a detection of a later frame."""
        self.motion.update(box, max(time_s - self.moved_at_s, 1e-3))
        self.moved_at_s = self.last_seen_s = max(time_s, self.last_seen_s)
        self._count(doubled)
        self._admire(box, score)
        x, y = _centre(self.motion.box)
        far = math.hypot(x - self.first_place[0], y - self.first_place[1]) / self.motion.height
        self.strayed = max(self.strayed, round(far, 3))

    def see_again(self, time_s: float, doubled: bool) -> None:
        """Take note of a repeated picture: the face is there, but where it goes is not known."""
        self.last_seen_s = max(time_s, self.last_seen_s)
        self._count(doubled)

    def shift(self, offset: FloatArray) -> None:
        """Follow a camera that was moved."""
        self.motion.shift(offset)
        self.first_place = (
            round(self.first_place[0] + float(offset[0]), 1),
            round(self.first_place[1] + float(offset[1]), 1),
        )

    def encode(self) -> list[Any]:
        """A list of numbers; times count back from `last_seen_s`, so that few digits do."""
        last_s = self.last_seen_s
        return [
            self.id,
            self.motion.encode(),
            last_s,
            self.seen_for_s,
            round(last_s - self.moved_at_s, 3),
            *self.first_place,
            self.sightings,
            self.doubled,
            self.best_face_px,
            self.best_score,
            self.strayed,
            int(self.static),
            self.votes.encode(),
            self.passage.encode(),
        ]

    @classmethod
    def decode(cls, record: list[Any]) -> Track:
        """Read what `encode` wrote."""
        track_id, motion, last_s, seen_for_s, unmoved_s, x, y, *counts, votes, passage = record
        sightings, doubled, best_px, best_score, strayed, static = counts
        return cls(
            track_id,
            BoxMotion.decode(motion),
            first_seen_s=round(last_s - seen_for_s, 3),
            last_seen_s=last_s,
            moved_at_s=round(last_s - unmoved_s, 3),
            first_place=(x, y),
            sightings=sightings,
            doubled=doubled,
            best_face_px=best_px,
            best_score=best_score,
            strayed=strayed,
            static=bool(static),
            votes=Votes.decode(votes),
            passage=Passage.decode(passage),
        )

    def _count(self, doubled: bool) -> None:
        self.doubled += doubled
        self.sightings += not doubled

    def _admire(self, box: FloatArray, score: float) -> None:
        self.best_face_px = max(self.best_face_px, round(float(box[3] - box[1]), 1))
        self.best_score = max(self.best_score, round(score, 3))


def _centre(box: FloatArray | Box) -> tuple[float, float]:
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2
