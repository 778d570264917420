"""Runs jobs that would block a web request, such as probes. Live frames never use jobs."""

from __future__ import annotations

from bus import keys
from bus.jobs.process import forking_worker, run_jobs
from runtime.settings import Settings


def run(settings: Settings) -> None:
    """Run jobs until SIGTERM, SIGINT or SIGHUP; a job still running then fails after a second.

    Raises:
        SettingsError: no Redis is named.
    """
    run_jobs(settings, "jobs", forking_worker(keys.JOBS_QUEUE, "ingest.probe.probe.probe_camera"))
