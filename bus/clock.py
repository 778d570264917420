"""One time for all hosts: each process follows the clock of the Redis server.

Hosts' clocks differ, by seconds if nothing synchronises them. One host stamps a frame, and another
compares the stamp with its own time, so both must use the same clock: the one that all can ask.
Between two requests, time advances with the host's steady clock, which is never set. Each answer
bounds the difference from below and above (F. Cristian,
"Probabilistic clock synchronization", 1989); bounds that agree are narrowed to what they have in
common (K. Marzullo, S. Owicki, 1983).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis

ASKED_EVERY_S: Final = 5.0
DRIFT: Final = 200e-6
"""Largest drift between two hosts' steady clocks, in seconds per second: twice that of quartz."""
WORTH_A_WORD_S: Final = 0.1

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounds:
    """How far the server's clock is ahead of the steady one, in seconds."""

    least_s: float
    most_s: float
    at_s: float
    """Steady time at which these bounds were valid."""

    def later(self, at_s: float) -> Bounds:
        """Return the bounds at a later time, widened by the drift."""
        drift_s = DRIFT * max(0.0, at_s - self.at_s)
        return Bounds(self.least_s - drift_s, self.most_s + drift_s, at_s)

    def common(self, other: Bounds) -> Bounds | None:
        """Return the intersection; None if the bounds contradict each other."""
        least_s, most_s = max(self.least_s, other.least_s), min(self.most_s, other.most_s)
        return Bounds(least_s, most_s, other.at_s) if least_s <= most_s else None


class SharedClock:
    """Seconds since the epoch on the Redis server's clock; the host's, before its first answer.

    The estimate changes only if an answer contradicts it, so a host with a right clock keeps its
    own time. May be sent to another process of the same host. One thread keeps it, any may read
    it.
    """

    def __init__(
        self,
        local: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._steady = steady
        self._ahead_s = local() - steady()
        self._bounds: Bounds | None = None
        self._due_s = 0.0

    def __call__(self) -> float:
        """Now, in seconds since the epoch."""
        return self._steady() + self._ahead_s

    def keep(self, redis: Redis) -> None:
        """Ask the server if the last answer is old; raise `RedisError` if it does not answer."""
        if self._steady() < self._due_s:
            return
        asked_s = self._steady()
        answer: Any = redis.time()
        self.hear(answer[0] + answer[1] / 1e6, asked_s, self._steady())
        self._due_s = asked_s + ASKED_EVERY_S

    def hear(self, server_s: float, asked_s: float, answered_s: float) -> None:
        """Use an answer of the server: its time between two moments of the steady clock."""
        heard = Bounds(server_s - answered_s, server_s - asked_s, answered_s)
        before = self._bounds.later(answered_s) if self._bounds else None
        # After a contradiction (the server's clock was set, or we slept) use this answer only.
        self._bounds = (before and before.common(heard)) or heard
        ahead_s = min(max(self._ahead_s, self._bounds.least_s), self._bounds.most_s)
        if abs(ahead_s - self._ahead_s) > WORTH_A_WORD_S:
            _log.info("using Redis' clock from now on: %+.3f s", ahead_s - self._ahead_s)
        self._ahead_s = ahead_s


class KeptClock:
    """A `SharedClock` together with the server that it follows."""

    def __init__(self, clock: SharedClock, redis: Redis) -> None:
        self._clock = clock
        self._redis = redis

    def __call__(self) -> float:
        """Now, in seconds since the epoch."""
        return self._clock()

    def keep(self) -> None:
        """Ask the server for its time if that was long ago.

        Raises:
            StoreError: the server does not answer.
        """
        self._clock.keep(self._redis)
