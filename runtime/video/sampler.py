"""Picks the frames of a camera or recording that are analysed."""

from __future__ import annotations

from typing import Final

RESTARTED_S: Final = 2.0
EARLY_S: Final = 0.05
CATCH_UP_S: Final = 0.5
"""Longest backlog, in seconds, whose frames all count as due when the network delivers them at
once."""


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
