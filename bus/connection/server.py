"""The state of the Redis server, for processes that report it."""

from __future__ import annotations

from redis import Redis
from redis.exceptions import RedisError

from bus.connection.client import check_server, explain, server_name
from bus.connection.trouble import (
    leave_replica,
    require_storing,
    require_storing_everywhere,
)
from bus.wire import PICTURES_SEALED, check_wire, noted_version
from contract.errors import RedisUnavailableError


class Server:
    """The server that one client talks to."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def require_storing(self) -> None:
        """Raise a `StoreError` unless the server accepts writes."""
        require_storing(self._redis)

    def require_storing_everywhere(self) -> None:
        """Raise a `StoreError` unless every server of a cluster accepts writes."""
        require_storing_everywhere(self._redis)

    def leave_replica(self, error: RedisError) -> None:
        """Reconnect after `error` if it shows that the server is a replica."""
        leave_replica(error, self._redis)

    def explain(self, error: RedisError) -> RedisUnavailableError:
        """Return `error` in plain words, with what to do."""
        return explain(error, self._redis)

    @property
    def name(self) -> str:
        """Return the server's address, without any password."""
        return server_name(self._redis)

    def check(self) -> str:
        """Return its version.

        Raises:
            RedisUnavailableError: it cannot be reached or used, with the reason.
        """
        return check_server(self._redis)

    def refuse_newer(self) -> None:
        """Raise `WireVersionError` if newer processes use it; changes nothing."""
        check_wire(self._redis)

    def held_pictures_in_clear(self) -> bool:
        """Whether only versions that did not encrypt pictures have used it so far."""
        return 0 < noted_version(self._redis) < PICTURES_SEALED

    def rewrite_file(self) -> None:
        """Have Redis rewrite its append-only file, without deleted and overwritten data."""
        self._redis.bgrewriteaof()
