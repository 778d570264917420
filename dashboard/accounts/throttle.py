"""Slows down whoever guesses passwords (the `limits` library, counting in Redis)."""

from __future__ import annotations

import time
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import Redis

from contract import keys
from dashboard.accounts.tokens import digest

PER_NAME_AND_ADDRESS: Final = RateLimitItemPerMinute(5, 5, namespace="name-address")
PER_ADDRESS: Final = RateLimitItemPerMinute(30, 5, namespace="address")
# From many addresses at once: slow enough for a guesser, out of reach of forgetfulness.
PER_NAME: Final = RateLimitItemPerMinute(50, 60, namespace="name")


class SignInThrottle:
    """Counts refused sign-ins; a successful one costs nothing."""

    def __init__(self, redis: Redis) -> None:
        storage = RedisStorage(
            "redis://", connection_pool=redis.connection_pool, key_prefix=keys.LIMITS
        )
        self._limiter = MovingWindowRateLimiter(storage)

    def wait_s(self, name: str, address: str) -> float:
        """Seconds until another attempt is heard; 0: now."""
        ends = [
            self._limiter.get_window_stats(item, *parts).reset_time
            for item, parts in _counters(name, address)
            if not self._limiter.test(item, *parts)
        ]
        return max(0.0, max(ends, default=0.0) - time.time())

    def failed(self, name: str, address: str) -> None:
        """Count a refused attempt."""
        for item, parts in _counters(name, address):
            self._limiter.hit(item, *parts)


def _counters(name: str, address: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
    # Hashed: people type their password into the wrong field, and names go into Redis' keys.
    who = digest(name.strip().lower())[:32]
    return [
        (PER_NAME_AND_ADDRESS, (who, address)),
        (PER_ADDRESS, (address,)),
        (PER_NAME, (who,)),
    ]
