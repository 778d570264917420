"""Which of a camera's frames are analysed."""

from __future__ import annotations

from typing import Final

DIVERGED_S: Final = 1.0
JUMPS_APART_S: Final = 30.0
SETTLES_S: Final = 3.0
"""Seconds in which timing settles: a camera first sends its buffered frames, which are late."""
RESTARTED_S: Final = 2.0
EARLY_S: Final = 0.05
CATCH_UP_S: Final = 0.5
"""Longest backlog, in seconds, whose frames all count as due when the network delivers them at
once."""


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


class Sampler:
    """Picks frames at `fps`, exactly on average, from any native rate."""

    def __init__(self, fps: float) -> None:
        self._period_s = 1.0 / fps
        self._due_s: float | None = None

    def wants(self, time_s: float) -> bool:
        """Whether the frame at `time_s` is to be analysed. Call once for every frame, in order.

        Due times advance by the period, not from the frame taken, so that rounding to frames
        does not add up: 8 of 25 frames a second are 8.0, not 6.25.
        """
        if self._due_s is None or self._due_s - time_s > RESTARTED_S + self._period_s:
            self._due_s = time_s
        if not self._is_due(time_s, self._due_s):
            return False
        self._due_s += self._period_s
        if self._due_s < time_s - max(self._period_s, CATCH_UP_S):
            self._due_s = time_s + self._period_s
        return True

    def may_want(self, time_s: float) -> bool:
        """Whether a coming frame at `time_s` may be wanted.

        False only if `wants` will also return False, whatever frames come before: due times only
        rise, unless a clock jumps.
        """
        if self._due_s is None or self._due_s - time_s > RESTARTED_S:
            return True
        return self._is_due(time_s, self._due_s)

    def _is_due(self, time_s: float, due_s: float) -> bool:
        # Accept slightly early frames: otherwise jitter would halve a rate near the native one.
        return time_s >= due_s - min(self._period_s / 2, EARLY_S)
