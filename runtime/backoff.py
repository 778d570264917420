"""Pauses between attempts that fail: each is longer than the one before."""

from __future__ import annotations

import random

_MOST_GROWTH_STEPS = 16


class Backoff:
    """Pauses that grow by `factor` from `first_s` to `longest_s`.

    jitter: the share of a pause that chance may take off, so that many who wait for the same
    thing do not try in step.
    """

    def __init__(
        self,
        first_s: float,
        longest_s: float,
        *,
        factor: float = 2.0,
        jitter: float = 0.0,
        failures: int = 0,
    ) -> None:
        """`failures`: begin as after so many failed attempts."""
        self._first_s = first_s
        self._longest_s = longest_s
        self._factor = factor
        self._jitter = jitter
        self._failures = failures

    def next_s(self) -> float:
        """Return the seconds to pause after a failed attempt."""
        growth = self._factor ** min(self._failures, _MOST_GROWTH_STEPS)
        self._failures += 1
        chance = random.uniform(1.0 - self._jitter, 1.0)  # noqa: S311 - spreads load, guards nothing
        return min(self._longest_s, self._first_s * growth) * chance

    def reset(self) -> None:
        """Make the next pause the shortest, after a success."""
        self._failures = 0
