"""The RQ worker for uploaded recordings: each in a process of its own, which may crash."""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from rq import get_current_job
from rq.job import Job

from bus import keys
from bus.connection.client import connect
from bus.jobs import forking_worker, run_jobs
from bus.stores.recordings import ANALYSE_JOB, RecordingStore
from contract.errors import UploadError
from contract.pictures.recordings import Recording
from runtime.process_limits import limit_memory, limit_processor_time
from runtime.settings import Settings, load_settings

SWEEP_EVERY_S: Final = 60.0
JOB_S: Final = 3600.0
"""For a job that names no time."""
TOO_MUCH_MEMORY: Final = (
    "analysing it takes more memory than it may have; record it in a smaller size, or raise "
    "MASKWATCH_UPLOAD_MEMORY_MB"
)
KILLED: Final = (
    "the analysis was ended from outside: it took too much time or memory, or its machine stopped "
    "it; try a shorter or smaller recording"
)
_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run jobs, and delete what has expired, until SIGTERM or SIGINT.

    Raises:
        SettingsError: no Redis is named.
    """
    redis_url = settings.require_redis_url()
    threading.Thread(target=_sweep, args=(settings, redis_url), daemon=True).start()

    def killed(job: Job) -> None:
        _say_killed(store_of(job.connection, settings), job)

    run_jobs(settings, "recordings", forking_worker(keys.RECORDINGS_QUEUE, ANALYSE_JOB, killed))


def store_of(redis: Redis, settings: Settings) -> RecordingStore:
    """The recordings where `settings` keep them."""
    return RecordingStore(
        redis, settings.where_recordings_are, round(settings.recording_kept_hours * 3600)
    )


def analyse_recording(recording_id: str) -> None:
    """Analyse an uploaded recording; what comes of it is in its record. This is the RQ job."""
    job = get_current_job()
    if job is None:
        raise RuntimeError("analyse_recording runs as an RQ job")
    settings = load_settings()
    limit_memory(settings.upload_memory_mb)
    limit_processor_time(float(job.timeout or JOB_S) * (os.cpu_count() or 1))
    store = store_of(job.connection, settings)
    found = store.get(recording_id)
    running = store.change(found, state="running") if found else None
    if running is not None:
        _analyse(store, running, settings)


def _analyse(store: RecordingStore, made: Recording, settings: Settings) -> None:
    # In this child process only: the parent, which forks, must load no neural runtime.
    from worker.networks import load_networks
    from worker.uploads.recordings import analyse_recording as analyse

    target = store.annotated_file(made)
    given = store.given_file(made)
    try:
        report = analyse(
            load_networks(settings),
            given,
            made.container,
            target,
            settings.recording_max_minutes * 60,
            lambda share: store.change(made, progress=round(share, 3)) is not None,
        )
    except UploadError as error:
        store.change(made, state="failed", error=str(error))
        report = None
    except MemoryError:
        store.change(made, state="failed", error=TOO_MUCH_MEMORY)
        report = None
    except Exception:
        store.change(made, state="failed", error="the analysis failed; the log says why")
        raise
    finally:
        given.unlink(missing_ok=True)
    if report is None:
        target.unlink(missing_ok=True)
    elif store.change(made, state="finished", progress=1.0, report=report) is None:
        store.remove(made)


def _say_killed(store: RecordingStore, job: Job) -> None:
    """A killed process cannot say so itself, and its recording would be analysed for ever."""
    found = store.get(str(job.args[0]))
    if found is not None:
        store.change(found, state="failed", error=KILLED)
        store.remove_files(found)


def _sweep(settings: Settings, redis_url: str) -> None:
    store = store_of(connect(redis_url, "recordings-sweep"), settings)
    pause = threading.Event()
    while not pause.wait(SWEEP_EVERY_S):
        try:
            store.adopt()
            store.sweep()
        except (RedisError, OSError) as error:
            _log.warning("expired recordings are deleted later: %s", error)
