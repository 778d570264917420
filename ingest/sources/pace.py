"""Plays a recording in real time, or at another speed."""

from __future__ import annotations

import time
from typing import Final

from ingest.captured import LifeSign
from runtime.video.film_time import USUAL_FPS

LATEST_S: Final = 1.0
LONGEST_GAP_S: Final = 5.0


class Pace:
    """Delays each frame of a recording until it is due.

    speed: 1 is real time; 0 does not delay. fps: the rate of frames without timestamps.
    """

    def __init__(self, life: LifeSign, speed: float = 1.0, fps: float = USUAL_FPS) -> None:
        self._life = life
        self._speed = speed
        self._offset_s: float | None = None
        self._last_s = 0.0
        self._interval_s = 1.0 / (fps or USUAL_FPS) / (speed or 1.0)

    def restart(self) -> None:
        """Restart the recording; its first frame follows the last one after one interval."""
        self._offset_s = None

    def expected_s(self, timestamp_s: float) -> float | None:
        """Return what `hold` will return for a coming frame; None before the first one."""
        if self._offset_s is None:
            return None
        return timestamp_s / (self._speed or 1.0) + self._offset_s

    def hold(self, timestamp_s: float | None, left_out: int = 0) -> float | None:
        """Wait until the frame is due; return when that is, on the monotonic clock.

        left_out: skipped frames between the last one and this one. At speed 0 the film has its own
        clock, and this returns its time. None means that the reader must end.
        """
        if timestamp_s is not None and self._speed:
            timestamp_s /= self._speed
        frames = left_out + 1
        due_s, now_s = self._due_s(timestamp_s, frames), time.monotonic()
        if self._speed == 0:
            now_s = due_s
        if not now_s - LATEST_S < due_s < now_s + LONGEST_GAP_S:
            # The first frame, a paused machine or a jump in the file: restart the timing here.
            due_s = now_s
        if timestamp_s is not None:
            self._offset_s = due_s - timestamp_s
        if 0.0 < due_s - self._last_s < LATEST_S:
            self._interval_s = (due_s - self._last_s) / frames
        self._last_s = due_s
        return None if due_s > now_s and self._life.wait(due_s - now_s) else due_s

    def _due_s(self, timestamp_s: float | None, frames: int) -> float:
        if timestamp_s is None or self._offset_s is None:
            return self._last_s + self._interval_s * frames
        return timestamp_s + self._offset_s
