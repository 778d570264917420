"""Stores the last tallies of each camera."""

from __future__ import annotations

from typing import Any, Final

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.readable import readable
from contract.people.tallies import Tally

TALLIES_KEPT: Final = 50
"""Most tallies of a camera that are kept."""


class TallyStore:
    """The tallies of all cameras. Removing a camera deletes its tallies."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def add(self, camera_id: str, tally: Tally) -> None:
        """Keep a tally, and drop the oldest beyond `TALLIES_KEPT`."""
        name = CameraKeys(camera_id).tallies
        self._redis.lpush(name, tally.encode())
        self._redis.ltrim(name, 0, TALLIES_KEPT - 1)

    def all(self, camera_id: str) -> list[Tally]:
        """Return a camera's tallies, newest first; an unreadable one is logged and left out."""
        raw: Any = self._redis.lrange(CameraKeys(camera_id).tallies, 0, TALLIES_KEPT - 1)
        return readable(Tally.decode, raw)
