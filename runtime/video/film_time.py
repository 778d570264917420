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
    are missing where a file was cut. The film goes on there after one frame's time. Some recorders
    stamp single pictures hours away from their neighbours; those change nothing.
    """

    def __init__(self, fps: float) -> None:
        """`fps` is what the file says; 0 if it says nothing."""
        self.frame_s = 1.0 / (fps or USUAL_FPS)
        self._before_s: float | None = None
        self._began_s = 0.0
        """The timestamp that stands for zero; it differs from film to film of a file."""
        self._stray_s: float | None = None
        self.now_s = 0.0
        """Of the last frame."""
        self.joined = False
        """Whether another film begins here: nobody in view before it still is."""

    def seconds(self, timestamp_s: float | None) -> float:
        """Return the time of the next frame. Call it once for every frame, in order."""
        self.joined = False
        if timestamp_s is None:
            timestamp_s = 0.0 if self._before_s is None else self._before_s + self.frame_s
        if self._before_s is None:
            self._before_s = self._began_s = timestamp_s
        elif _follows(self._before_s, timestamp_s):
            self._stray_s = None
            self._before_s = max(self._before_s, timestamp_s)
            self.now_s = max(self.now_s, timestamp_s - self._began_s)
        else:
            self._leap(timestamp_s)
        return self.now_s

    def _leap(self, timestamp_s: float) -> None:
        """Take a first leap for a stray picture, and the second for another film's beginning."""
        self.now_s += self.frame_s
        self.joined = self._stray_s is not None and _follows(self._stray_s, timestamp_s)
        self._stray_s = timestamp_s
        if self.joined:
            self._before_s, self._began_s = timestamp_s, timestamp_s - self.now_s
            self._stray_s = None


def _follows(before_s: float, timestamp_s: float) -> bool:
    return -LATEST_BACK_S <= timestamp_s - before_s <= LONGEST_GAP_S
