"""The job that runs in this process, as the stage's function sees it."""

from __future__ import annotations

from typing import Any

from rq import get_current_job
from rq.job import Job
from rq.timeouts import JobTimeoutException

from bus.bus import Bus
from runtime.vault import Vault

JobTimeoutError = JobTimeoutException
"""A job exceeded its time limit. RQ raises this inside the job, at any line."""


class RunningJob:
    """One job while its function runs, with the stores of the Redis that it came from."""

    def __init__(self, job: Job, vault: Vault | None = None) -> None:
        self._job = job
        self.id: str = job.id
        self.bus = Bus(job.connection, vault)

    def timeout_s(self, default_s: float) -> float:
        """Return the seconds that the job may run; `default_s` where it names no limit."""
        return float(self._job.timeout or default_s)

    def append(self, field: str, value: Any) -> None:
        """Append `value` to a list in the job's metadata, which waiting processes read."""
        self._job.meta[field] = [*self._job.meta.get(field, []), value]
        self._job.save_meta()  # type: ignore[no-untyped-call]


def running_job() -> RunningJob | None:
    """Return the job that this process runs; None outside a job."""
    job = get_current_job()
    return RunningJob(job) if job else None


def require_running_job(function: str, vault: Vault | None = None) -> RunningJob:
    """Return the job that this process runs. `vault`: for its bus.

    Raises:
        RuntimeError: there is none; `function` was called directly.
    """
    job = get_current_job()
    if job is None:
        raise RuntimeError(f"{function} runs as a job from the queue; it cannot be called directly")
    return RunningJob(job, vault)
