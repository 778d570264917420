"""Queues failed jobs again once they are due."""

from __future__ import annotations

import logging
import threading

from redis import Redis
from redis.exceptions import RedisError
from rq.scheduler import RQScheduler

from bus.jobs.job_json import JobJson

_log = logging.getLogger(__name__)


class Retries:
    """The retries of one queue: RQ's own scheduler, run in a thread instead of a forked process."""

    def __init__(self, redis: Redis, queue: str) -> None:
        self._scheduler = RQScheduler(
            [queue], redis, logging_level=logging.WARNING, serializer=JobJson
        )

    def run(self, every_s: float) -> None:
        """Queue due jobs every `every_s`, for as long as the process lives."""
        pause = threading.Event()
        while not pause.wait(every_s):
            try:
                self.queue_due()
            except RedisError as error:
                _log.debug("retries wait for Redis: %s", error)

    def queue_due(self) -> None:
        """Queue due jobs, unless another process does it for this queue."""
        if self._scheduler.acquire_locks():  # type: ignore[no-untyped-call]
            self._scheduler.enqueue_scheduled_jobs()  # type: ignore[no-untyped-call]
