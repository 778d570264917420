"""The state of the Redis server, for those that answer for it."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

from bus.connection.client import explain
from bus.connection.trouble import leave_replica, require_storing
from contract.errors import RedisUnavailableError


class Server:
    """The server that one client talks to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def require_storing(self) -> None:
        """Raise a `StoreError` unless the server takes what is written."""
        require_storing(self._redis)

    def leave_replica(self, error: RedisError) -> None:
        """Connect anew after `error` if the server turned out to be a replica."""
        leave_replica(error, self._redis)

    def explain(self, error: RedisError) -> RedisUnavailableError:
        """Return `error` in plain words, with what to do."""
        return explain(error, self._redis)
