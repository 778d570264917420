"""Seconds of a film that is read faster than it plays."""

from __future__ import annotations

from typing import Final

LONGEST_GAP_S: Final = 30.0
"""A film whose timestamps leap further was put together from several, or lost its clock."""
LATEST_BACK_S: Final = 1.0
"""Timestamps that fall back by less are rounded, or the file's order of two pictures."""
USUAL_FPS: Final = 25.0


class FilmTime:
    """Turns a film's timestamps into seconds that only rise, from 0.

    Timestamps begin again where two films were joined, leap where a recorder set its clock, and
    are missing where a file was cut. The film goes on there after one frame's time.
    """

    def __init__(self, fps: float) -> None:
        """`fps` is what the file says; 0 if it says nothing."""
        self._frame_s = 1.0 / (fps or USUAL_FPS)
        self._before_s: float | None = None
        self.now_s = 0.0
        """Of the last frame."""
        self.joined = False
        """Whether the last frame is the first after a leap: nobody in view before it still is."""

    def seconds(self, timestamp_s: float | None) -> float:
        """Return the time of the next frame. Call it once for every frame, in order."""
        before_s, self.joined = self._before_s, False
        if timestamp_s is None:
            timestamp_s = 0.0 if before_s is None else before_s + self._frame_s
        self._before_s = timestamp_s
        if before_s is None:
            return self.now_s
        step_s = timestamp_s - before_s
        if -LATEST_BACK_S <= step_s < 0:
            self._before_s = before_s
            return self.now_s
        self.joined = not 0 <= step_s <= LONGEST_GAP_S
        self.now_s += self._frame_s if self.joined else step_s
        return self.now_s
