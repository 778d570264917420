"""Slows down whoever guesses passwords (the `limits` library, counting in Redis).

An attempt is counted before its password is looked at, so that many at the same moment are no
more than the limit; a successful one is given back. Each counter is one atomic script in Redis.
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

PER_NAME_AND_ADDRESS: Final = RateLimitItemPerMinute(5, 5, namespace="name-address")
# From many addresses at once: slow enough for a guesser, out of reach of forgetfulness.
PER_NAME: Final = RateLimitItemPerMinute(50, 60, namespace="name")
# Of many names. A minute, not longer: everybody behind one address waits for it.
PER_ADDRESS: Final = RateLimitItemPerMinute(20, 1, namespace="address")
KNOWN_FOR_S: Final = 90 * 86400
"""Seconds after a sign-in for which that name at that address waits for its own failures only."""

Counter = tuple[RateLimitItem, tuple[str, ...]]


@dataclass(frozen=True)
class Attempt:
    """One that was counted and may now be tried."""

    throttle: SignInThrottle
    counters: tuple[Counter, ...]
    known_key: str

    def give_back(self) -> None:
        """Count it no longer: its password was not looked at."""
        self.throttle.give_back(self.counters)

    def succeeded(self) -> None:
        """Count it no longer, and know this name at this address from now on."""
        self.give_back()
        self.throttle.remember(self.known_key)


class SignInThrottle:
    """Counts attempts at passwords that did not succeed.

    A name is limited at each address; names that have signed in at an address before are limited
    by nothing else there. So neither somebody who guesses other names behind the same address nor
    somebody who guesses this name elsewhere can keep its owner out.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._storage = RedisStorage(
            "redis://", connection_pool=redis.connection_pool, key_prefix=keys.LIMITS
        )
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._beginning: Counts[str] = Counts()

    def begin(self, name: str, address: str) -> Attempt:
        """Count an attempt that is about to be tried.

        Raises:
            TooManyAttemptsError: it may not be tried, and was not counted.
        """
        # Hashed: people type their password into the wrong field, and names go into Redis' keys.
        who = digest(name.strip().lower())[:32]
        known_key = f"{keys.LIMITS}:known:{who}:{address}"
        # Those that are being counted at this moment use up the limit: the rest of a burst is
        # refused without a word to Redis.
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
            # A moving window is a list of times, newest first; the library only ever adds.
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
        # At least a little: a window may have ended since it refused.
        return max(1.0, max(ends, default=0.0) - time.time())
