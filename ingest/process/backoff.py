"""Pauses between attempts."""

from __future__ import annotations

import random
from typing import Final

FIRST_S: Final = 0.5
WELL_AFTER_S: Final = 3.0
"""As long as the longest pause, by default: a camera that closes every 5 s is away for a tenth."""


class Backoff:
    """Doubling pauses with jitter, so that cameras behind one switch do not return in step."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to pause now that the attempt has failed."""
        pause_s = min(self._longest_s, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return pause_s * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """All was well for a while: the next pause is the shortest."""
        self._failures = 0
