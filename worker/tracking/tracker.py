"""Faces over time: which detection in this frame is whose from the last."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from msgspec import Meta

from worker.former_state import tracker_2
from worker.saved_state import Count, SavedState, Side, read_state, write_state
from worker.tracking.association import (
    SAME_FACE_OVERLAP,
    assign,
    common_shift,
    outside,
    overlaps,
    uncut,
)
from worker.tracking.static_faces import StaticFaces
from worker.tracking.track import Track

FloatArray = npt.NDArray[np.float32]

MOST_TRACKS: Final = 5000
LOST_AFTER_S: Final = 2.5
"""A face unseen for this long has gone: people are hidden for 2 s, half hidden for longer ..."""
STILL_LOST_AFTER_S: Final = 8.0
"""... unless it stood still: then it is waited for longer, but only in the same place."""
REACH: Final = 0.6
"""A detection belongs to a track when it is within this many face heights of the prediction ..."""
REACH_SPREADS: Final = 1.6
"""... plus this many standard deviations of the track's speed, times the seconds unseen: much for
a face seen once (6.4 heights a second), little for one followed for a while (about 1.5)."""
LONGEST_REACH: Final = 3.5
LEAVING_REACH: Final = 0.4
"""A track about to leave the picture must not pick up whoever comes in at the same edge."""
STAYING_REACH: Final = 0.4
"""Who stood still, or was last seen before the picture froze, is found where they were."""
NEWNESS: Final = (0.8, 0.4, 0.3)
"""A track that was seen by itself 0, 1 or 2 times counts as this much farther away, in face
heights: of two tracks on one face, the one that has been there longer keeps it."""
KNOWN_AFTER: Final = 4
"""A track seen this often has shown how large its face is ..."""
LARGER: Final = 1.4
"""... so that a box is at most this many times as high as it should be ..."""
LARGER_PER_S: Final = 0.5
"""... and this much more for each second unseen ..."""
UNKNOWN_LARGER: Final = 2.2
"""... but never more than this, as before: then it may have shown only a part of itself."""
FROZEN_AFTER_S: Final = 1.0
"""A picture repeated for longer than a slow camera repeats one (1 frame a second) is frozen."""
NOBODY: Final = 2**62
"""Stands for the number of a track where there is none."""


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

    Detections are assigned to predicted boxes at the least total distance, measured in face
    heights, because at a few frames a second a walker's boxes need not overlap from one frame to
    the next. A second box on a face becomes a track of its own, which is counted as seen only
    where it stands alone: two faces may well overlap for a moment, a double always does.
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
        goes on with a track, but begins none (Zhang et al., ByteTrack, 2022). Returns the track of
        each box, in the order of `boxes`, None where it is nobody's, and the tracks that ended:
        unseen for too long, walked out, or the picture changed its size.
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
        if not thawed:  # or else whoever stood there all the time gets this one chance
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
        predicted = self._predict(time_s)
        leaving = outside(predicted, self._state.frame_size)
        about_to_leave = [t for t, left in zip(self.tracks, leaving, strict=True) if left]
        whose = self._match(predicted, leaving, found.boxes, time_s)
        tracks = self._tracks_of(whose, found, time_s)
        for column, doubled in enumerate(_doubled(found.boxes, tracks)):
            track = tracks[column]
            if column in whose:
                whose[column].see(*found.at(column), time_s, doubled)
            elif track and doubled:
                track.sightings, track.doubled = 0, 1
        seen = {track.id for track in tracks if track}
        return tracks, self._end([track for track in about_to_leave if track.id not in seen])

    def _tracks_of(
        self, whose: dict[int, Track], found: Found, time_s: float
    ) -> list[Track | None]:
        """Return the track of each box; boxes that are nobody's begin one if they are sure."""
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
        """Return the track of each box of a picture shown before; none ends, none moves."""
        where = np.array([track.motion.box for track in self.tracks], np.float32).reshape(-1, 4)
        reach = np.full(len(where), LONGEST_REACH, np.float32)
        largest = np.full(len(where), UNKNOWN_LARGER, np.float32)
        whose = {
            column: self.tracks[row]
            for row, column in assign(where, found.boxes, reach, np.zeros_like(reach), largest)
        }
        tracks = self._tracks_of(whose, found, time_s)
        for track, doubled in zip(tracks, _doubled(found.boxes, tracks), strict=True):
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
        """End all when the picture has another size: no place in it means what it meant."""
        before, self._state.frame_size = self._state.frame_size, frame_size
        if before in ((0, 0), frame_size):
            return []
        ended = self._end(self.tracks)
        self._state.static = StaticFaces()
        return ended

    def _end_lost(self, time_s: float) -> list[Track]:
        # Either way: a clock set back must not keep people in view until it has caught up.
        return self._end(
            [
                track
                for track in self.tracks
                if abs(time_s - track.last_seen_s)
                > (STILL_LOST_AFTER_S if track.is_still else LOST_AFTER_S)
            ]
        )

    def _predict(self, time_s: float) -> FloatArray:
        """`(T, 4)` boxes where the tracks should be by now."""
        boxes = []
        for track in self.tracks:
            unseen_s = time_s - track.moved_at_s
            if unseen_s > LOST_AFTER_S:
                track.motion.stop()
            boxes.append(track.motion.predict(max(unseen_s, 0.0)))
        return np.array(boxes, np.float32).reshape(-1, 4)

    def _match(
        self,
        predicted: FloatArray,
        leaving: npt.NDArray[np.bool_],
        boxes: FloatArray,
        time_s: float,
    ) -> dict[int, Track]:
        """Return the track of each box that is somebody's, by the box's index."""
        unseen_s = np.array([max(time_s - track.moved_at_s, 0.0) for track in self.tracks])
        spreads = np.array([track.motion.speed_spread for track in self.tracks])
        reach = np.minimum(REACH + REACH_SPREADS * spreads * unseen_s, LONGEST_REACH)
        reach[leaving] = LEAVING_REACH
        reach[unseen_s > LOST_AFTER_S] = STAYING_REACH
        newness = np.array(
            [(*NEWNESS, 0.0)[min(track.sightings, len(NEWNESS))] for track in self.tracks],
            np.float32,
        )
        known = np.array([track.sightings >= KNOWN_AFTER for track in self.tracks], bool)
        grown = np.minimum(LARGER + LARGER_PER_S * unseen_s, UNKNOWN_LARGER)
        largest = np.where(known, grown, UNKNOWN_LARGER)
        limits = reach.astype(np.float32), newness, largest.astype(np.float32)
        pairs = assign(predicted, boxes, *limits)
        offset = None if pairs else common_shift(predicted, boxes, LEAVING_REACH, limits[-1])
        if offset is not None:
            for track in self.tracks:
                track.shift(offset)
            pairs = assign(predicted + np.tile(offset, 2), boxes, *limits)
        return {column: self.tracks[row] for row, column in pairs}


def _doubled(boxes: FloatArray, tracks: Sequence[Track | None]) -> list[bool]:
    """For each box, whether it lies on the face of somebody who was there before."""
    shared = overlaps(boxes) >= SAME_FACE_OVERLAP
    ids = np.array([track.id if track else NOBODY for track in tracks])
    return [bool((ids[shared[column]] < ids[column]).any()) for column in range(len(tracks))]
