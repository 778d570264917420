"""Faces over time: which detection in this frame is whose from the last."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from worker.former_state import tracker_2
from worker.saved_state import Count, SavedState, Side, read_state, write_state
from worker.tracking.association import outside, uncut
from worker.tracking.matching import (
    LOST_AFTER_S,
    doubled_boxes,
    leaving_picture,
    match,
    match_unmoved,
    predict,
)
from worker.tracking.static_faces import StaticFaces
from worker.tracking.track import Track

FloatArray = npt.NDArray[np.float32]

MOST_TRACKS: Final = 5000
STILL_LOST_AFTER_S: Final = 8.0
"""The track of a still face ends only after this long, but continues only in the same place."""
FROZEN_AFTER_S: Final = 1.0
"""A picture repeated for longer than this is frozen. Slow cameras repeat one for up to a second."""


@dataclass(frozen=True, eq=False)
class Found:
    """What the detector found in one frame."""

    boxes: FloatArray
    """`(N, 4)` corners in pixels."""
    scores: FloatArray
    """`(N,)`."""
    first_score: float
    """A box below this score begins no track."""

    def at(self, index: int) -> tuple[FloatArray, float]:
        """One box, `(4,)`, and its score."""
        return self.boxes[index], float(self.scores[index])


class TrackerState(SavedState, tag=3):
    """All that a tracker knows of the frames so far."""

    next_id: Count
    frame_size: tuple[Side, Side]
    """Width and height; zeros before the first frame."""
    picture: Count
    """Checksum of the last frame's boxes: a frozen picture has the very same ones."""
    repeated: bool
    """Whether the last frame showed the same picture as the one before."""
    tracks: Annotated[list[Track], Meta(max_length=MOST_TRACKS)]
    static: StaticFaces

    @classmethod
    def first(cls) -> TrackerState:
        """Return what is known before the first frame."""
        return cls(1, (0, 0), 0, False, [], StaticFaces())


class Tracker:
    """The faces of one camera. Feed it frames in order; times are the camera's, in seconds.

    Detections are assigned to predicted boxes at the least total distance in face heights. Overlap
    would not do, because at a few frames a second a walker's boxes need not overlap. A second box
    on a face begins a track of its own, which counts as seen only in frames where it stands alone.
    Two faces overlap for a moment; a second box on the same face overlaps always.
    """

    def __init__(self, state: TrackerState | None = None) -> None:
        """Go on from `state`, which becomes the tracker's own; without one, begin anew."""
        self._state = state or TrackerState.first()

    @property
    def tracks(self) -> list[Track]:
        """Everybody in view, or hidden for a moment."""
        return self._state.tracks

    @property
    def static(self) -> StaticFaces:
        """Where the camera sees pictures of faces."""
        return self._state.static

    def update(
        self,
        boxes: FloatArray,
        time_s: float,
        frame_size: tuple[int, int],
        scores: FloatArray | None = None,
        first_score: float = 0.0,
    ) -> tuple[list[Track | None], list[Track]]:
        """Take the boxes of one frame of `frame_size` (width, height).

        Boxes are `(N, 4)` float32 corners in pixels, scores `(N,)`. A box below `first_score`
        continues a track but begins none (Zhang et al., ByteTrack, 2022). Returns the track of each
        box, in the order of `boxes`, with None for a box without a track; and the tracks that ended
        because they were unseen for too long, walked out, or had a picture of another size.
        """
        time_s = round(time_s, 3)  # as it is saved: a successor must not see other times
        if scores is None:
            scores = np.ones(len(boxes), np.float32)
        found = Found(boxes, scores, first_score)
        ended = self._end_others(frame_size)
        checksum = zlib.crc32(boxes.tobytes()) if len(boxes) else 0
        state = self._state
        thawed, state.repeated = state.repeated, bool(checksum) and checksum == state.picture
        state.picture = checksum
        if state.repeated:
            return self._see_again(found, time_s), ended
        if not thawed:  # after a frozen picture, tracks get this one frame to continue
            ended += self._end_lost(time_s)
        seen, gone = self._see(replace(found, boxes=uncut(boxes, frame_size)), time_s)
        for track in seen:
            if track:
                self.static.judge(track)
        return seen, ended + gone

    def end_all(self) -> list[Track]:
        """End every track: the camera went quiet."""
        return self._end(self.tracks)

    def encode(self) -> str:
        """The whole state as JSON, about 350 bytes a face."""
        return write_state(self._state)

    @classmethod
    def decode(cls, state: str) -> Tracker:
        """Return the tracker that wrote `state`; a new one for an empty string.

        Raises:
            MessageError: no version of ours that we know wrote it.
        """
        if not state:
            return cls()
        return cls(read_state(state, TrackerState, tracker_2, "a tracker's state"))

    def _see(self, found: Found, time_s: float) -> tuple[list[Track | None], list[Track]]:
        """Return the track of each box of a new picture, and those that walked out."""
        predicted = predict(self.tracks, time_s)
        beyond = outside(predicted, self._state.frame_size)
        leaving = leaving_picture(self.tracks, beyond)
        about_to_leave = [t for t, left in zip(self.tracks, leaving, strict=True) if left]
        whose = match(self.tracks, predicted, beyond, leaving, found.boxes, time_s)
        tracks = self._tracks_of(whose, found, time_s)
        for column, doubled in enumerate(doubled_boxes(found.boxes, tracks)):
            track = tracks[column]
            if column in whose:
                whose[column].see(*found.at(column), time_s, doubled)
            elif track and doubled:
                track.sightings, track.doubled = 0, 1
            if track:
                track.add_score(float(found.scores[column]) - found.first_score)
        seen = {track.id for track in tracks if track}
        return tracks, self._end([track for track in about_to_leave if track.id not in seen])

    def _tracks_of(
        self, whose: dict[int, Track], found: Found, time_s: float
    ) -> list[Track | None]:
        """Return the track of each box. A box without a track begins one if its score is enough."""
        return [
            whose.get(column)
            or (
                self._begin(*found.at(column), time_s)
                if found.scores[column] >= found.first_score
                else None
            )
            for column in range(len(found.boxes))
        ]

    def _see_again(self, found: Found, time_s: float) -> list[Track | None]:
        """Return the track of each box of a repeated picture; no track ends or moves."""
        tracks = self._tracks_of(match_unmoved(self.tracks, found.boxes), found, time_s)
        for track, doubled in zip(tracks, doubled_boxes(found.boxes, tracks), strict=True):
            if track and 0 <= time_s - track.moved_at_s <= FROZEN_AFTER_S:
                track.see_again(time_s, doubled)
        return tracks

    def _begin(self, box: FloatArray, score: float, time_s: float) -> Track:
        track = Track.begin(self._state.next_id, box, score, time_s)
        self._state.next_id += 1
        self.tracks.append(track)
        return track

    def _end(self, ended: list[Track]) -> list[Track]:
        ids = {track.id for track in ended}
        self._state.tracks = [track for track in self.tracks if track.id not in ids]
        for track in ended:
            self.static.remember(track)
        return ended

    def _end_others(self, frame_size: tuple[int, int]) -> list[Track]:
        """End all tracks when the picture has another size, because places do not carry over."""
        before, self._state.frame_size = self._state.frame_size, frame_size
        if before in ((0, 0), frame_size):
            return []
        ended = self._end(self.tracks)
        self._state.static = StaticFaces()
        return ended

    def _end_lost(self, time_s: float) -> list[Track]:
        # In both directions: after a clock is set back, tracks must not wait until it catches up.
        return self._end(
            [
                track
                for track in self.tracks
                if abs(time_s - track.last_seen_s)
                > (STILL_LOST_AFTER_S if track.is_still else LOST_AFTER_S)
            ]
        )
