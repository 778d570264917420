"""Pauses between connection attempts."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 0.5
WELL_AFTER_S: Final = 3.0
"""Seconds live after which the next pause is the shortest. It equals the default longest pause: a
camera that closes every 5 s is then away for a tenth of the time."""
LONGEST_REFUSED_S: Final = 300.0
"""Longest pause while a camera refuses the password. Cameras lock accounts after about five wrong
ones, usually for five minutes."""
_REFUSED_BEFORE: Final = 4
"""Refusals that a password counts as having behind it if it never worked: pauses of two minutes."""


class Backoff:
    """Doubling pauses with jitter, so that cameras behind one switch do not reconnect in step."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._failures = 0
        self._refusals = _REFUSED_BEFORE

    def next_s(self, refused: bool = False) -> float:
        """Return the seconds to pause after a failed attempt.

        `refused`: the camera refused a password. After one that worked before, the first pauses
        are short, because a camera that is starting refuses every password.
        """
        if refused:
            pause_s = min(LONGEST_REFUSED_S, FIRST_S * 4.0 ** min(self._refusals, 8))
            self._refusals += 1
        else:
            pause_s = min(self._longest_s, FIRST_S * 2.0 ** min(self._failures, 16))
            self._failures += 1
        return pause_s * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Make the next pause the shortest, after a stable connection."""
        self._failures = self._refusals = 0
