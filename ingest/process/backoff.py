"""Pauses between attempts to connect to a camera."""

from __future__ import annotations

from typing import Final

from runtime.backoff import Backoff

FIRST_S: Final = 0.5
JITTER: Final = 0.25
WELL_AFTER_S: Final = 3.0
"""Seconds live after which the next pause is the shortest. It equals the default longest pause: a
camera that closes every 5 s is then away for a tenth of the time."""
LONGEST_REFUSED_S: Final = 300.0
"""Longest pause while a camera refuses the password. Cameras lock accounts after about five wrong
ones, usually for five minutes."""
_REFUSED_BEFORE: Final = 4
"""Refusals that a password counts as having behind it if it never worked: pauses of two minutes."""


class CameraBackoff:
    """Pauses with jitter, so that cameras behind one switch do not reconnect in step."""

    def __init__(self, longest_s: float) -> None:
        self._usual = Backoff(FIRST_S, longest_s, jitter=JITTER)
        self._refused = Backoff(
            FIRST_S, LONGEST_REFUSED_S, factor=4.0, jitter=JITTER, failures=_REFUSED_BEFORE
        )

    def next_s(self, refused: bool = False) -> float:
        """Return the seconds to pause after a failed attempt.

        `refused`: the camera refused a password. After one that worked before, the first pauses
        are short, because a camera that is starting refuses every password.
        """
        return (self._refused if refused else self._usual).next_s()

    def reset(self) -> None:
        """Make the next pause the shortest, after a stable connection."""
        self._usual.reset()
        self._refused.reset()
