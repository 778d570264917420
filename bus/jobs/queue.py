"""Queues jobs, and reports their progress. Other processes run them (`bus.jobs.process`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from redis import Redis
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job

from bus.jobs.job_json import JobJson


class QueuedJob:
    """A queued job. Each method asks Redis again."""

    def __init__(self, job: Job) -> None:
        self._job = job

    @property
    def function(self) -> str:
        """The function that it runs, as `module.name`."""
        return str(self._job.func_name)

    def meta(self) -> dict[str, Any]:
        """Return the metadata that the job was queued with, and its own notes."""
        return dict(self._job.get_meta())

    def status(self) -> str:
        """RQ's word for its state, such as `queued`, `started` or `finished`."""
        return str(getattr(self._job.get_status(), "value", "failed"))

    def result(self) -> Any:
        """Return the job's result."""
        return self._job.return_value()


class JobQueue:
    """One of RQ's queues."""

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._queue = Queue(name, connection=redis, serializer=JobJson)

    def waiting(self) -> int:
        """How many jobs wait."""
        return int(self._queue.count)

    def processes(self) -> int:
        """How many processes take jobs from here."""
        return int(Worker.count(queue=self._queue))

    def add(
        self,
        function: str,
        *arguments: Any,
        description: str,
        timeout_s: int,
        result_kept_s: int,
        failure_kept_s: int,
        waits_s: int | None = None,
        job_id: str | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> str:
        """Queue a call of `function`, written as `module.name`; return the job's id.

        `description`: what RQ logs, by default the call with all its arguments. A job that has
        waited for `waits_s` is dropped; None: it waits for ever.
        """
        job = self._queue.enqueue(
            function,
            *arguments,
            job_id=job_id,
            job_timeout=timeout_s,
            result_ttl=result_kept_s,
            failure_ttl=failure_kept_s,
            ttl=waits_s,
            meta=dict(meta) if meta else None,
            description=description,
        )
        return str(job.id)

    def find(self, job_id: str) -> QueuedJob | None:
        """Return a job by its id, whichever queue it is in; None where there is none.

        Raises:
            MessageError: Maskwatch did not write its record.
        """
        try:
            return QueuedJob(Job.fetch(job_id, connection=self._redis, serializer=JobJson))
        except (NoSuchJobError, ValueError):  # RQ refuses ids it could not have given
            return None
