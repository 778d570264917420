"""Faces over time: which detection in this frame is whose from the last."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from contract.errors import MessageError
from contract.frames import to_json
from contract.verdicts import Verdict
from worker.motion import BoxMotion
from worker.votes import Votes

FloatArray = npt.NDArray[np.float32]

SCHEMA: Final = 1
LOST_AFTER_S: Final = 2.0
"""A face unseen for this long has gone; people are hidden behind others for less."""
REACH: Final = 0.7
"""A detection belongs to a track when it is within this many face heights of the prediction ..."""
REACH_PER_S: Final = 2.5
"""... plus this many a second since the track was seen (a walk is about 6, mostly foreseen)."""
LONGEST_REACH: Final = 2.5
LEAVING_REACH: Final = 0.4
"""A track about to leave the picture must not pick up whoever comes in at the same edge."""
SIZE_RATIO: Final = 1.8
"""... and at most this much larger or smaller."""
LEAST_SIGHTINGS: Final = 3
LEAST_TIME_S: Final = 0.35
"""A track seen less often or for less time is a flicker, not a person."""

_UNREACHABLE: Final = 1e6


@dataclass
class Track:
    """One face over time."""

    id: int
    motion: BoxMotion
    first_seen_s: float
    last_seen_s: float
    sightings: int = 1
    votes: Votes = field(default_factory=Votes)
    classified_at_s: float = 0.0

    @property
    def is_person(self) -> bool:
        """Whether the track was seen often and long enough to be someone."""
        return (
            self.sightings >= LEAST_SIGHTINGS
            and self.last_seen_s - self.first_seen_s >= LEAST_TIME_S
        )

    @property
    def verdict(self) -> Verdict:
        return self.votes.verdict

    def encode(self) -> list[Any]:
        return [
            self.id,
            self.motion.encode(),
            round(self.first_seen_s, 3),
            round(self.last_seen_s, 3),
            self.sightings,
            [*self.votes.sums, self.votes.verdict],
            round(self.classified_at_s, 3),
        ]

    @classmethod
    def decode(cls, record: list[Any]) -> Track:
        track_id, motion, first_s, last_s, sightings, (*sums, verdict), classified_s = record
        votes = Votes((sums[0], sums[1], sums[2]), verdict)
        return cls(
            track_id, BoxMotion.decode(motion), first_s, last_s, sightings, votes, classified_s
        )


class Tracker:
    """The faces of one camera. Feed it frames in order; times are the camera's, in seconds.

    Detections are assigned to predicted boxes at the least total distance (Hungarian method,
    `scipy.optimize.linear_sum_assignment`), distance measured in face heights, because at a few
    frames a second a walker's boxes need not overlap from one frame to the next.
    """

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._next_id = 1

    def update(
        self, boxes: FloatArray, time_s: float, frame_size: tuple[int, int]
    ) -> tuple[list[Track], list[Track]]:
        """Take the boxes of one frame of `frame_size` (width, height).

        Boxes are `(N, 4)` float32 corners in pixels. Returns the track of each box, in the
        order of `boxes`, and the tracks that ended: unseen for too long, or walked out.
        """
        ended = self._end_lost(time_s)
        predicted = self._predict(time_s)
        leaving = _outside(predicted, frame_size)
        rows, columns = self._match(predicted, leaving, boxes, time_s)
        seen: dict[int, Track] = {}
        for row, column in zip(rows, columns, strict=True):
            track = self.tracks[row]
            step_s = max(time_s - track.last_seen_s, 1e-3)
            track.motion.update(boxes[column], step_s)
            track.last_seen_s = max(time_s, track.last_seen_s)
            track.sightings += 1
            seen[int(column)] = track
        gone = [self.tracks[row] for row in np.flatnonzero(leaving) if row not in rows]
        self.tracks = [track for track in self.tracks if track not in gone]
        for column in range(len(boxes)):
            if column not in seen:
                seen[column] = self._begin(boxes[column], time_s)
        return [seen[column] for column in range(len(boxes))], ended + gone

    def end_all(self) -> list[Track]:
        """End every track: the camera went quiet."""
        ended, self.tracks = self.tracks, []
        return ended

    def encode(self) -> str:
        """The whole state as JSON, about 250 bytes a face."""
        return to_json(
            {
                "v": SCHEMA,
                "next_id": self._next_id,
                "tracks": [track.encode() for track in self.tracks],
            }
        )

    @classmethod
    def decode(cls, state: str) -> Tracker:
        """Return the tracker that wrote `state`; a new one for an empty string.

        Raises:
            MessageError: `state` is not one of ours.
        """
        tracker = cls()
        if not state:
            return tracker
        try:
            record = json.loads(state)
            if record["v"] != SCHEMA:
                raise MessageError(f"tracker schema {record['v']!r}, expected {SCHEMA}")
            tracker._next_id = record["next_id"]
            tracker.tracks = [Track.decode(track) for track in record["tracks"]]
        except (KeyError, TypeError, ValueError) as error:
            raise MessageError(f"a tracker's state cannot be read: {error}") from error
        return tracker

    def _begin(self, box: FloatArray, time_s: float) -> Track:
        track = Track(self._next_id, BoxMotion(box), time_s, time_s)
        self._next_id += 1
        self.tracks.append(track)
        return track

    def _end_lost(self, time_s: float) -> list[Track]:
        # Either way: a clock set back must not keep people in view until it has caught up.
        ended = [track for track in self.tracks if abs(time_s - track.last_seen_s) > LOST_AFTER_S]
        self.tracks = [track for track in self.tracks if track not in ended]
        return ended

    def _predict(self, time_s: float) -> FloatArray:
        """`(T, 4)` boxes where the tracks should be by now."""
        boxes = [t.motion.predict(max(time_s - t.last_seen_s, 0.0)) for t in self.tracks]
        return np.array(boxes, np.float32).reshape(-1, 4)

    def _match(
        self,
        predicted: FloatArray,
        leaving: npt.NDArray[np.bool_],
        boxes: FloatArray,
        time_s: float,
    ) -> tuple[list[int], list[int]]:
        if not self.tracks or len(boxes) == 0:
            return [], []
        unseen_s = np.array([max(time_s - t.last_seen_s, 0.0) for t in self.tracks])
        reach = np.minimum(REACH + REACH_PER_S * unseen_s, LONGEST_REACH)
        reach[leaving] = LEAVING_REACH
        distances = _distances(predicted, boxes)
        costs = np.where(distances <= reach[:, None], distances, _UNREACHABLE)
        rows, columns = linear_sum_assignment(costs)
        good = costs[rows, columns] < _UNREACHABLE
        return rows[good].tolist(), columns[good].tolist()


def _outside(boxes: FloatArray, frame_size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """`(N,)`: whose centre lies outside the picture."""
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.asarray(((centres < 0) | (centres > np.array(frame_size))).any(axis=1))


def _distances(predicted: FloatArray, boxes: FloatArray) -> FloatArray:
    """`(T, N)` distances between centres in face heights; unreachable where sizes differ."""
    centres = (predicted[:, None, :2] + predicted[:, None, 2:]) / 2
    others = (boxes[None, :, :2] + boxes[None, :, 2:]) / 2
    heights = np.maximum(predicted[:, 3] - predicted[:, 1], 1.0)[:, None]
    others_heights = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)[None, :]
    ratio = np.maximum(heights / others_heights, others_heights / heights)
    apart = np.linalg.norm(centres - others, axis=2) / np.sqrt(heights * others_heights)
    return np.where(ratio <= SIZE_RATIO, apart, _UNREACHABLE).astype(np.float32)
