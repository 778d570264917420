"""Holds a film back while workers have not caught up, where it plays as fast as they follow."""

from __future__ import annotations

import threading
from typing import Final

from redis import Redis

from bus.keys import CameraKeys

IN_FLIGHT: Final = 2
"""Frames that may wait for a worker: one that it analyses, and one to go on with."""
LOOK_S: Final = 0.025


class Follower:
    """Knows how far the workers are behind one camera's published frames."""

    def __init__(self, redis: Redis, camera_id: str) -> None:
        self._redis = redis
        self._position = CameraKeys(camera_id).position
        self._published = 0

    def published(self, sequence: int) -> None:
        """Note the newest frame that was published."""
        self._published = sequence

    def wait_until_caught_up(self, stop: threading.Event) -> bool:
        """Look whether another frame may be published; pause a moment if not."""
        position = self._redis.get(self._position)
        committed = int(position.split()[0]) if isinstance(position, bytes) else 0
        if self._published - committed < IN_FLIGHT:
            return True
        stop.wait(LOOK_S)
        return False
