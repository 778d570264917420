"""The RQ worker for what must not block a web request. Live frames never pass here."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.serializers import JSONSerializer

from contract import keys
from contract.frames import to_json
from contract.leases import Membership
from contract.redis_client import Outage, connect, wait_for_server
from contract.settings import Settings
from ingest.stopping import end_for_sure, stop_on_signals

WORKER_TTL_S: Final = 30
PATIENCE_S: Final = 1.0
_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run jobs until SIGTERM or SIGINT; a job that is still running then fails after a second.

    Raises:
        SettingsError: no Redis is named.
    """
    redis_url = settings.require_redis_url()
    logging.getLogger("rq.worker").addFilter(_not_an_outage)
    stop = threading.Event()
    beat = threading.Thread(target=_beat, args=(settings, redis_url, stop), daemon=True)
    beat.start()
    redis = connect(redis_url, "jobs")
    while not stop.is_set():
        _work(redis, stop)
    beat.join(0.5)


def _work(redis: Redis, stop: threading.Event) -> None:
    stop_on_signals(stop)
    if not wait_for_server(redis, stop):
        return
    try:
        worker = JobWorker(stop, [keys.JOBS_QUEUE], connection=redis)
        worker.work(logging_level="WARNING")
    except RedisError as error:
        _log.debug("the job worker lost Redis: %s", error)
        stop.wait(0.2)


class JobWorker(Worker):
    """RQ's forking worker, made to stop soon and to come back soon.

    Forking is safe here: this process loads no network runtime.
    """

    max_connection_wait_time = 2.0

    def __init__(self, stop: threading.Event, queues: list[str], connection: Redis) -> None:
        super().__init__(
            queues,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_S,
            log_job_description=False,
        )
        self._stop_event = stop

    def request_stop(self, signum: int, frame: Any) -> None:
        self._stop_event.set()
        end_for_sure()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def handle_warm_shutdown_request(self) -> None:
        """Give a running job a moment, then end it."""
        if self.horse_pid:
            timer = threading.Timer(PATIENCE_S, self.kill_horse)
            timer.daemon = True
            timer.start()


def _beat(settings: Settings, url: str, stop: threading.Event) -> None:
    """Say that this worker is alive, a few times per lease."""
    redis = connect(url, "jobs-beat")
    membership = Membership(redis, "jobs", settings.lease_s)
    member = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    outage = Outage(redis, stop)
    while not stop.is_set():
        try:
            membership.beat(member, to_json({"pid": os.getpid()}))
            outage.over()
        except RedisError as error:
            outage.report(error)
        stop.wait(settings.lease_s / 4)
    try:
        membership.leave(member)
    except RedisError as error:
        _log.debug("leaving without a word: %s", error)


def _not_an_outage(record: logging.LogRecord) -> bool:
    """RQ repeats itself while Redis is away; the beat says it once."""
    return "could not connect to Redis" not in str(record.msg)
