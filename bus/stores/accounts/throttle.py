"""Limits password guessing (with the `limits` library, counting in Redis).

An attempt counts before its password is checked, so that simultaneous attempts cannot exceed the
limit; a successful attempt is uncounted. Each counter is one atomic script in Redis.
"""

from __future__ import annotations

import time
from collections import Counter as Counts
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis

from bus import keys
from bus.stores.accounts.tokens import digest
from contract.errors import TooManyAttemptsError
from contract.names import alike

PER_NAME_AND_ADDRESS: Final = RateLimitItemPerMinute(5, 5, namespace="name-address")
# For many addresses at once: too slow for guessing, more than a forgetful user needs.
PER_NAME: Final = RateLimitItemPerMinute(50, 60, namespace="name")
# For many names. Only a minute, because everybody behind one address waits.
PER_ADDRESS: Final = RateLimitItemPerMinute(20, 1, namespace="address")
KNOWN_FOR_S: Final = 90 * 86400
"""Seconds after a sign-in for which only its own failures limit that name at that address."""

Counter = tuple[RateLimitItem, tuple[str, ...]]


@dataclass(frozen=True)
class Attempt:
    """A counted attempt that may now be tried."""

    throttle: SignInThrottle
    counters: tuple[Counter, ...]
    known_key: str

    def give_back(self) -> None:
        """Uncount the attempt: its password was not checked."""
        self.throttle.give_back(self.counters)

    def succeeded(self) -> None:
        """Uncount the attempt, and remember this name at this address."""
        self.give_back()
        self.throttle.remember(self.known_key)


class SignInThrottle:
    """Counts failed password attempts.

    Each name has a limit per address. If a name has signed in at an address before, no other limit
    applies to it there. So an attacker who guesses other names at the same address, or this name at
    other addresses, cannot lock its owner out.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._storage = RedisStorage(
            "redis://", connection_pool=redis.connection_pool, key_prefix=keys.LIMITS
        )
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._beginning: Counts[str] = Counts()

    def begin(self, name: str, address: str) -> Attempt:
        """Count an attempt before it is tried.

        Raises:
            TooManyAttemptsError: the attempt is over the limit, and was not counted.
        """
        # Hashed, because names become Redis' keys, and users type passwords into the wrong field.
        who = digest(alike(name))[:32]
        known_key = f"{keys.LIMITS}:known:{who}:{address}"
        # Attempts that are being counted now already use up the limit: refuse the rest of a burst
        # without asking Redis.
        if self._beginning[known_key] >= PER_NAME_AND_ADDRESS.amount:
            raise TooManyAttemptsError(1.0)
        self._beginning[known_key] += 1
        try:
            return self._count(who, address, known_key)
        finally:
            self._beginning[known_key] -= 1
            if not self._beginning[known_key]:
                del self._beginning[known_key]

    def _count(self, who: str, address: str, known_key: str) -> Attempt:
        counters: list[Counter] = [(PER_NAME_AND_ADDRESS, (who, address))]
        if not self._redis.exists(known_key):
            counters += [(PER_NAME, (who,)), (PER_ADDRESS, (address,))]
        for index, (item, parts) in enumerate(counters):
            if not self._limiter.hit(item, *parts):
                self.give_back(tuple(counters[:index]))
                raise TooManyAttemptsError(self._wait_s(counters))
        return Attempt(self, tuple(counters), known_key)

    def give_back(self, counters: tuple[Counter, ...]) -> None:
        """Take one attempt off each counter."""
        for item, parts in counters:
            # A moving window is a list of times, newest first, and the library can only add to it.
            key = self._storage.prefixed_key(item.key_for(*parts))
            self._redis.ltrim(key, 1, -1)

    def remember(self, known_key: str) -> None:
        """Note that this name has signed in at this address."""
        self._redis.set(known_key, 1, ex=KNOWN_FOR_S)

    def _wait_s(self, counters: list[Counter]) -> float:
        ends = [
            stats.reset_time
            for item, parts in counters
            if (stats := self._limiter.get_window_stats(item, *parts)).remaining <= 0
        ]
        # At least a second: the window may have just ended.
        return max(1.0, max(ends, default=0.0) - time.time())
