"""Finds the track that each box of a frame continues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from worker.tracking.association import (
    SAME_FACE_OVERLAP,
    UNREACHABLE,
    BoolArray,
    FloatArray,
    assign,
    common_shift,
    distances,
    overlaps,
)
from worker.tracking.track import Track

LOST_AFTER_S: Final = 2.5
"""A track ends after this long without a detection. People are hidden for up to about 2 s."""
REACH: Final = 0.6
"""A detection may continue a track if it is at most this many face heights from the prediction,
plus `REACH_SPREADS`."""
REACH_SPREADS: Final = 1.6
"""Standard deviations of the track's speed that are added to `REACH` for each second unseen: 6.4
heights for a face seen once, about 1.5 for a face that was followed for a while."""
LONGEST_REACH: Final = 3.5
"""No detection farther away than this many face heights continues a track."""
STOPPING: Final = 0.2
"""Face heights that are added to the distance from where a face would be if it had stopped."""
STOPPED_REACH: Final = 1.5
"""Reach of a track whose face may have stopped, in face heights: farther away is somebody else."""
LEAVING_REACH: Final = 0.4
"""Reach of a track that is leaving the picture, so that it does not continue with a person who
comes in at the same edge."""
LEANING_SPEED: Final = 1.2
"""Somebody who crosses the picture's edge more slowly than this, in face heights per second, leans
out of the picture and may come back. At 1 m/s, a face crosses it at 4."""
LEANING_REACH: Final = 0.8
"""Reach of a track whose face has leaned out of the picture: it comes back where it left."""
STAYING_REACH: Final = 0.4
"""Reach of a track that stood still, or was last seen before the picture froze."""
NEWNESS: Final = (0.8, 0.4, 0.3)
"""Face heights that are added to the distance of a track with 0, 1 or 2 sightings. So of two tracks
on one face, the older one keeps it."""
KNOWN_AFTER: Final = 4
"""After this many sightings the size of a track's face is known."""
LARGER: Final = 1.4
"""A box may be at most this many times as high as predicted if the size is known."""
LARGER_PER_S: Final = 0.5
"""`LARGER` grows by this much for each second unseen."""
UNKNOWN_LARGER: Final = 2.2
"""The same limit while the size is not known, because the track may have shown only a part of its
face; also the most that `LARGER` grows to."""
NOBODY: Final = 2**62
"""Stands for a track's number where a box has no track."""


def predict(tracks: Sequence[Track], time_s: float) -> FloatArray:
    """`(T, 4)` boxes where the tracks should be by now. Tracks that are lost lose their speed."""
    boxes = []
    for track in tracks:
        unseen_s = time_s - track.moved_at_s
        if unseen_s > LOST_AFTER_S:
            track.motion.stop()
        boxes.append(track.motion.predict(max(unseen_s, 0.0)))
    return np.array(boxes, np.float32).reshape(-1, 4)


def leaving_picture(tracks: Sequence[Track], beyond: BoolArray) -> BoolArray:
    """`(T,)` which tracks leave the picture, of those that should be `beyond` its edge by now."""
    slow = np.array([track.motion.speed < LEANING_SPEED for track in tracks], bool)
    return np.asarray(beyond & ~slow, bool)


def match(
    tracks: Sequence[Track],
    predicted: FloatArray,
    beyond: BoolArray,
    leaving: BoolArray,
    boxes: FloatArray,
    time_s: float,
) -> dict[int, Track]:
    """Return the track of each box that continues one, by the box's index.

    predicted: `(T, 4)` as from `predict`. beyond: `(T,)` whether a track should be beyond the
    picture's edge by now. leaving: `(T,)` as from `leaving_picture`. If no box continues a track
    and the camera seems to have been moved, all tracks move with it.
    """
    reach, newness, largest = _limits(tracks, beyond, leaving, time_s)
    apart = distances(predicted, boxes, largest)
    pairs = assign(apart, reach, newness)
    if len(pairs) < min(apart.shape):
        stopped = _stopped(tracks, predicted, leaving, boxes, largest)
        stopped[[row for row, _ in pairs]] = UNREACHABLE
        stopped[:, [column for _, column in pairs]] = UNREACHABLE
        pairs += assign(stopped, np.minimum(reach, STOPPED_REACH), newness)
    offset = None if pairs else common_shift(predicted, boxes, LEAVING_REACH, largest)
    if offset is not None:
        for track in tracks:
            track.shift(offset)
        apart = distances(predicted + np.tile(offset, 2), boxes, largest)
        pairs = assign(apart, reach, newness)
    return {column: tracks[row] for row, column in pairs}


def match_unmoved(tracks: Sequence[Track], boxes: FloatArray) -> dict[int, Track]:
    """Return the track of each box of a repeated picture, where no track has moved."""
    where = np.array([track.motion.box for track in tracks], np.float32).reshape(-1, 4)
    reach = np.full(len(where), LONGEST_REACH, np.float32)
    largest = np.full(len(where), UNKNOWN_LARGER, np.float32)
    pairs = assign(distances(where, boxes, largest), reach, np.zeros_like(reach))
    return {column: tracks[row] for row, column in pairs}


def doubled_boxes(boxes: FloatArray, tracks: Sequence[Track | None]) -> list[bool]:
    """For each box, whether it lies on the face of an older track."""
    shared = overlaps(boxes) >= SAME_FACE_OVERLAP
    ids = np.array([track.id if track else NOBODY for track in tracks])
    return [bool((ids[shared[column]] < ids[column]).any()) for column in range(len(tracks))]


def _stopped(
    tracks: Sequence[Track],
    predicted: FloatArray,
    leaving: BoolArray,
    boxes: FloatArray,
    largest: FloatArray,
) -> FloatArray:
    """`(T, N)` distances from where each face would be if it had stopped, at once or half-way.

    People stop and turn while they are hidden, and a camera in a hand stops as suddenly as it
    swings. Who is leaving the picture does not stop: somebody else may come in there.
    """
    now = np.array([track.motion.box for track in tracks], np.float32).reshape(-1, 4)
    apart = np.minimum(
        distances(np.float32(0.5) * (now + predicted), boxes, largest) + STOPPING / 2,
        distances(now, boxes, largest) + STOPPING,
    )
    apart[leaving] = UNREACHABLE
    return np.asarray(apart, np.float32)


def _limits(
    tracks: Sequence[Track], beyond: BoolArray, leaving: BoolArray, time_s: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`reach`, `newness` and `largest` of each track, as `assign` takes them."""
    unseen_s = np.array([max(time_s - track.moved_at_s, 0.0) for track in tracks])
    spreads = np.array([track.motion.speed_spread for track in tracks])
    reach = np.minimum(REACH + REACH_SPREADS * spreads * unseen_s, LONGEST_REACH)
    reach[beyond] = np.minimum(reach[beyond], LEANING_REACH)
    reach[leaving] = LEAVING_REACH
    reach[unseen_s > LOST_AFTER_S] = STAYING_REACH
    newness = [(*NEWNESS, 0.0)[min(track.sightings, len(NEWNESS))] for track in tracks]
    known = np.array([track.sightings >= KNOWN_AFTER for track in tracks], bool)
    grown = np.minimum(LARGER + LARGER_PER_S * unseen_s, UNKNOWN_LARGER)
    largest = np.where(known, grown, UNKNOWN_LARGER)
    return reach.astype(np.float32), np.array(newness, np.float32), largest.astype(np.float32)
