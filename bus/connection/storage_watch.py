"""Says once that Redis stores nothing any more or has lost data, and that it stores again."""

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
    """For who goes on in a full Redis, where the little that keeps a process known is still taken.

    An outage would be noticed anyway; a full Redis refuses only what each reader brings, and a
    line from each of them would bury the reason.
    """

    def __init__(self, redis: Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._look_at_s = 0.0
        self._said = ""
        self._losses = LossWatch(redis)

    def look(self) -> None:
        """See every few seconds whether what is written is stored. Raises what `Redis` does."""
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
