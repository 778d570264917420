"""Pauses between connection attempts."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 0.5
WELL_AFTER_S: Final = 3.0
"""Seconds live after which the next pause is the shortest. It equals the default longest pause: a
camera that closes every 5 s is then away for a tenth of the time."""


class Backoff:
    """Doubling pauses with jitter, so that cameras behind one switch do not reconnect in step."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._failures = 0

    def next_s(self) -> float:
        """Return the seconds to pause after a failed attempt."""
        pause_s = min(self._longest_s, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return pause_s * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Make the next pause the shortest, after a stable connection."""
        self._failures = 0
