"""Runs the jobs for uploaded recordings, each in a process of its own, which may crash."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import Any, Final

from bus import keys
from bus.bus import Bus
from bus.errors import StoreError
from bus.jobs.process import forking_worker, run_jobs
from bus.jobs.running_job import require_running_job
from bus.stores.recordings import ANALYSE_JOB, RecordingStore
from contract.errors import UploadError
from contract.pictures.recordings import Recording
from runtime.process_limits import limit_memory, limit_processor_time
from runtime.settings import Settings, load_settings

SWEEP_EVERY_S: Final = 60.0
JOB_S: Final = 3600.0
"""Longest time of a job that names none."""
TOO_MUCH_MEMORY: Final = (
    "analysing it takes more memory than it may have; record it in a smaller size, or raise "
    "MASKWATCH_UPLOAD_MEMORY_MB"
)
NOT_WRITTEN: Final = (
    "nothing is wrong with the recording, but the annotated one cannot be written; free space "
    "where MASKWATCH_STATE_DIR lies, or ask whoever runs Maskwatch to"
)
KILLED: Final = (
    "the analysis was ended from outside: it took too much time or memory, or its machine stopped "
    "it; try a shorter or smaller recording"
)
_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run jobs, and delete what has expired, until SIGTERM, SIGINT or SIGHUP.

    Raises:
        SettingsError: no Redis is named.
    """
    store = Bus.open(settings, "recordings-sweep").recordings(settings)
    threading.Thread(target=_sweep, args=(store,), daemon=True).start()

    def killed(arguments: Sequence[Any]) -> None:
        _say_killed(store, str(arguments[0]))

    run_jobs(settings, "recordings", forking_worker(keys.RECORDINGS_QUEUE, ANALYSE_JOB, killed))


def analyse_recording(recording_id: str) -> None:
    """Analyse an uploaded recording and write the result into its record. This is the RQ job."""
    job = require_running_job("analyse_recording")
    settings = load_settings()
    limit_memory(settings.upload_memory_mb)
    limit_processor_time(job.timeout_s(JOB_S) * (os.cpu_count() or 1))
    store = job.bus.recordings(settings)
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
            target,
            settings.recording_max_minutes * 60,
            lambda share: store.change(made, progress=round(share, 3)) is not None,
            settings.least_confidence,
        )
    except UploadError as error:
        store.change(made, state="failed", error=str(error))
        report = None
    except MemoryError:
        store.change(made, state="failed", error=TOO_MUCH_MEMORY)
        report = None
    except OSError as error:
        _log.error("an analysed recording cannot be written: %s", error)
        store.change(made, state="failed", error=f"{NOT_WRITTEN} ({error.strerror})")
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


def _say_killed(store: RecordingStore, recording_id: str) -> None:
    """Mark a recording as failed on behalf of its killed process, which cannot do so itself.

    Otherwise its page would say for ever that it is being analysed.
    """
    found = store.get(recording_id)
    if found is not None:
        store.change(found, state="failed", error=KILLED)
        store.remove_files(found)


def _sweep(store: RecordingStore) -> None:
    pause = threading.Event()
    while not pause.wait(SWEEP_EVERY_S):
        try:
            store.adopt()
            store.sweep()
        except (StoreError, OSError) as error:
            _log.warning("expired recordings are deleted later: %s", error)
