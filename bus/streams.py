"""Reads many cameras' streams at once, from one Redis or from all servers of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis

from bus.cluster.interface import Answer, held_reads


class StreamReader:
    """Reads entries after given positions. Belongs to one thread."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._held = held_reads(redis)

    def read(
        self, places: Mapping[bytes, Any], block_ms: int | None, count: int | None = None
    ) -> Answer:
        """Return each stream's entries after its position, up to `count`, oldest first.

        Waits up to `block_ms` for an entry; None: does not wait.

        Raises:
            RedisError: a server could not be read; then no entries of any server are returned.
        """
        if self._held is not None:
            return self._held.read(places, block_ms, count)
        everything: dict[Any, Any] = dict(places)
        answer: Any = self._redis.xread(everything, count=count, block=block_ms)
        return answer or []

    def close(self) -> None:
        """Drop the reads that no server has answered yet."""
        if self._held is not None:
            self._held.drop()
