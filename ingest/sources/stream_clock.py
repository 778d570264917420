"""Turns the timestamps of a camera's stream into times that frames can be picked by."""

from __future__ import annotations

from typing import Final

DIVERGED_S: Final = 1.0
JUMPS_APART_S: Final = 30.0
SETTLES_S: Final = 3.0
"""Seconds in which timing settles: a camera first sends its buffered frames, which are late."""


class StreamClock:
    """Turns a stream's timestamps into steady seconds on the arrival clock.

    Timestamps preserve the camera's rhythm if frames arrive in bursts. If timestamps are missing,
    jump or run at another speed, the arrival time is used.
    """

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._first_s = 0.0
        self._jumped_s: float | None = None
        self._trusted = True
        self.jumps = 0
        """Number of jumps of the timestamps so far."""
        self._last: tuple[float, float] | None = None

    def expected_s(self, timestamp_s: float) -> float | None:
        """Predict `steady_s` for a coming frame; return None if only its arrival decides."""
        if self._offset_s is None or not self._trusted:
            return None
        return timestamp_s + self._offset_s

    def steady_s(self, timestamp_s: float | None, arrived_s: float) -> float:
        """Return the time of a frame with `timestamp_s` that arrived at `arrived_s`."""
        if timestamp_s is None:
            return arrived_s
        offset_s = arrived_s - timestamp_s
        self._count_jump(timestamp_s, offset_s)
        if self._offset_s is None:
            self._offset_s = offset_s
            self._first_s = arrived_s
        elif self._offset_s - offset_s > DIVERGED_S and arrived_s - self._first_s < SETTLES_S:
            self._offset_s = offset_s
        elif abs(offset_s - self._offset_s) > DIVERGED_S:
            # One jump: the camera set its clock. Another one soon after: its clock is unusable.
            self._trusted = self._jumped_s is None or arrived_s - self._jumped_s > JUMPS_APART_S
            self._offset_s, self._jumped_s = offset_s, arrived_s
        return timestamp_s + self._offset_s if self._trusted else arrived_s

    def _count_jump(self, timestamp_s: float, offset_s: float) -> None:
        """Distinguish a jump of timestamps from late frames of a stalling network."""
        if self._last is not None:
            last_s, last_offset_s = self._last
            moved_s = abs(timestamp_s - last_s)
            self.jumps += moved_s > DIVERGED_S and abs(offset_s - last_offset_s) > DIVERGED_S
        self._last = timestamp_s, offset_s
