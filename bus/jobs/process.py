"""The common part of processes that run RQ jobs: heartbeats, outages, a quick end."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker, Worker
from rq.job import Job
from rq.utils import import_attribute

from bus.connection.client import Outage, connect, wait_for_server
from bus.connection.storage_watch import StorageWatch
from bus.connection.trouble import leave_replica, require_storing
from bus.jobs.job_json import JobJson
from bus.members.members import Membership, member_name
from contract.errors import MessageError
from contract.messages import to_json
from runtime.settings import Settings
from runtime.stopping import end_for_sure, handle_ends, stop_on_signals

WORKER_TTL_S: Final = 30
PATIENCE_S: Final = 1.0
FORMER_NAMES: Final = {
    "ingest.probe.probe.probe_camera": "ingest.probe.probe_camera",
    "worker.uploads.image_jobs.analyse_images": "worker.image_jobs.analyse_images",
    "worker.uploads.recording_jobs.analyse_recording": "worker.recording_jobs.analyse_recording",
}
"""By job, its name in dashboards of the previous version. Delete it in the next version."""
_log = logging.getLogger(__name__)

MakeWorker = Callable[[threading.Event, Redis], Worker | SimpleWorker]
WhenKilled = Callable[[Sequence[Any]], None]


def run_jobs(
    settings: Settings,
    role: str,
    make_worker: MakeWorker,
    stop: threading.Event | None = None,
) -> None:
    """Run jobs as a member of `role` until SIGTERM, SIGINT or SIGHUP, which also set `stop`.

    Raises:
        SettingsError: no Redis is configured.
    """
    redis_url = settings.require_redis_url()
    logging.getLogger("rq.worker").addFilter(_not_an_outage)
    stop = stop or threading.Event()
    beat = threading.Thread(target=_beat, args=(settings, redis_url, role, stop), daemon=True)
    beat.start()
    redis = connect(redis_url, role)
    while not stop.is_set():
        _work(redis, stop, make_worker)
    beat.join(0.5)


def forking_worker(queue: str, job: str, when_killed: WhenKilled | None = None) -> MakeWorker:
    """A worker that runs each job in a process of its own, which may crash.

    `job`: the only function that it runs, as `module.name`; any other queued job fails.
    `when_killed` gets the arguments of a job whose process ended before the job did.

    Only where no neural runtime is loaded before a job: forking after that is unsafe.
    """

    def killed(job: Job, *_: object) -> None:
        if when_killed is not None:
            when_killed(job.args)

    return lambda stop, redis: _ForkingWorker(
        stop, queue, job, redis, work_horse_killed_handler=killed
    )


def warm_worker(queue: str, job: str) -> MakeWorker:
    """A worker that runs jobs in this process, which keeps what the first one loaded.

    `job`: the only function that it runs, as `module.name`; any other queued job fails.
    """
    return lambda stop, redis: _WarmWorker(stop, queue, job, redis)


def _work(redis: Redis, stop: threading.Event, make_worker: MakeWorker) -> None:
    stop_on_signals(stop)
    if not wait_for_server(redis, stop):
        return
    try:
        require_storing(redis)
        make_worker(stop, redis).work(logging_level="WARNING")
        stop.wait(0.2)  # RQ ends by itself if Redis refuses a command
    except RedisError as error:
        # The heartbeat logs the outage once.
        _log.debug("the job worker lost Redis: %s", error)
        leave_replica(error, redis)
        stop.wait(1.0)
    except Exception:
        # The loop's edge: an unreadable job is already off the queue.
        _log.exception("a job could not be started; continuing with the next")
        stop.wait(0.2)


def only(function: str) -> type[Job]:
    """Return a class of RQ jobs that may call one function only.

    RQ's own class would call any function that a record in Redis names.
    """
    names = {function, FORMER_NAMES.get(function, function)}

    class OnlyJob(Job):
        @property
        def func(self) -> Any:
            if self.func_name not in names or self.instance is not None:
                raise MessageError(f"a job of this queue may call {function} only")
            return import_attribute(function)

        # A record may also name these functions; Maskwatch's own never do.
        success_callback = None
        failure_callback = None
        stopped_callback = None

    return OnlyJob


class _EndsSoon:
    """Makes either of RQ's workers stop and reconnect quickly."""

    max_connection_wait_time = 2.0

    def __init__(
        self, stop: threading.Event, queue: str, job: str, redis: Redis, **more: Any
    ) -> None:
        super().__init__(  # type: ignore[call-arg]
            [queue],
            connection=redis,
            job_class=only(job),
            serializer=JobJson,
            worker_ttl=WORKER_TTL_S,
            log_job_description=False,
            **more,
        )
        self._stop_event = stop

    def _install_signal_handlers(self) -> None:
        handle_ends(self.request_stop)

    def _set_ip_address(self, connection: Redis) -> None:
        """Ask nothing: RQ would parse a list that a socket's path with a blank spoils."""
        del connection
        self.ip_address = "unknown"

    def request_stop(self, signum: int, frame: Any) -> None:
        self._stop_event.set()
        end_for_sure()
        super().request_stop(signum, frame)  # type: ignore[misc]


class _ForkingWorker(_EndsSoon, Worker):
    def handle_warm_shutdown_request(self) -> None:
        """Give a running job a moment, then end it."""
        if self.horse_pid:
            timer = threading.Timer(PATIENCE_S, self.kill_horse)
            timer.daemon = True
            timer.start()


class _WarmWorker(_EndsSoon, SimpleWorker):
    """A running job gets the same moment before `end_for_sure` ends it."""


def _beat(settings: Settings, url: str, role: str, stop: threading.Event) -> None:
    """Send heartbeats of this worker, a few times per lease."""
    redis = connect(url, f"{role}-beat")
    membership = Membership(redis, role, settings.lease_s)
    member = member_name()
    outage, storage = Outage(redis, stop), StorageWatch(redis)
    while not stop.is_set():
        try:
            storage.look()
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
    """Hide RQ's repeated messages about an outage: the heartbeat logs it once."""
    cause = record.exc_info[1] if record.exc_info else None
    said = str(record.msg)
    ours = "could not connect to Redis" in said or "Redis connection timeout" in said
    return not (ours or isinstance(cause, RedisError))
