"""Reports once when Redis stops storing or loses data, and when it stores again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from redis import Redis
from redis.exceptions import ResponseError

from bus.connection.client import explain, server_name
from bus.connection.loss import LossWatch
from bus.connection.trouble import require_storing

LOOK_EVERY_S: Final = 2.0

_log = logging.getLogger(__name__)


class StorageWatch:
    """For processes that continue with a full Redis, which still accepts heartbeats.

    Other outages are noticed anyway. A full Redis refuses only the readers' frames, and a log line
    from each reader would hide the reason.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._look_at_s = 0.0
        self._said = ""
        self._losses = LossWatch(redis)

    def look(self) -> None:
        """Check every few seconds whether Redis stores writes. Raises the errors of `Redis`."""
        now_s = self._clock()
        if now_s < self._look_at_s:
            return
        self._look_at_s = now_s + LOOK_EVERY_S
        try:
            require_storing(self._redis)
            self._losses.look()
        except ResponseError as error:
            words = str(explain(error, self._redis))
            if words != self._said:
                _log.warning("%s", words)
            self._said = words
            return
        if self._said:
            _log.info("Redis at %s stores again", server_name(self._redis))
        self._said = ""
