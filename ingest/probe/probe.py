"""Looks at a source once, before it is registered: is it there, and what does it show?

The dashboard queues `probe_camera` as a job, because a web request must not wait for a camera. A
source with a password goes through Redis encrypted. While the job runs, its metadata says how far
it is (`contract.cameras.probes`). Its result is a `ProbeResult` as a dictionary, without the
picture: Redis writes results to its disk, and keeps the picture in memory only
(`bus.stores.pictures`).
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from bus.jobs.running_job import RunningJob, running_job
from bus.keys import probe_picture
from contract.cameras.picture_options import AS_SIGNALLED, PictureOptions
from contract.cameras.probes import (
    RESULT_KEPT_S,
    SNAPSHOT,
    SNAPSHOT_FIELD,
    STEPS_FIELD,
    ProbeResult,
)
from contract.errors import (
    SecretKeyError,
    SourceError,
    SourceLockedError,
    SourceTimeoutError,
)
from contract.redaction import redact_url
from ingest.captured import OpenSource
from ingest.encoding import encode_jpeg
from ingest.probe.rate import rate_of
from ingest.probe.steps import StepWriter, Tell, opening_steps
from ingest.reach.address import parse_source
from ingest.reach.errors import too_large
from ingest.sources.source import open_source
from runtime.process_limits import limit_memory
from runtime.settings import Settings, load_settings
from runtime.vault import Vault

SNAPSHOT_WIDTH: Final = 640
SNAPSHOT_QUALITY: Final = 80
START_UP_S: Final = 5.0


def probe_camera(
    source: str, sealed: str | None = None, options: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Run `probe_source` in a process of its own, within a time limit. This is the RQ job.

    `sealed` is the whole address, encrypted, when `source` is redacted. `options` are fields of
    `PictureOptions`. FFmpeg may hang or crash on
    the stream of an unknown address; only the separate process then suffers.
    """
    settings = load_settings()
    if sealed is not None:
        try:
            source = Vault(settings.where_the_secret_key_is).open(sealed)
        except SecretKeyError as error:
            words = f"the jobs process cannot decrypt the address: {error}"
            return asdict(failed(source, SourceLockedError(words)))
    limit_s = settings.open_timeout_s + settings.read_timeout_s + START_UP_S
    job = running_job()
    try:
        found = _run(
            _Task(source, PictureOptions(**(options or {}))),
            limit_s,
            lambda step: job.append(STEPS_FIELD, step) if job else None,
        )
    except subprocess.TimeoutExpired:
        words = f"expected a picture from {redact_url(source)} within {limit_s:g} s, found none"
        return asdict(failed(source, SourceTimeoutError(words)))
    except subprocess.CalledProcessError:
        words = f"the reader of {redact_url(source)} crashed; check the stream in a video player"
        return asdict(failed(source, SourceError(words)))
    return _without_picture(job, found)


@dataclass(frozen=True)
class _Task:
    """What the probe's own process is to do."""

    source: str
    options: PictureOptions = AS_SIGNALLED


def _run(task: _Task, limit_s: float, note: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run this module as a program, note its steps, return its result.

    Raises:
        subprocess.TimeoutExpired: it took longer than `limit_s`.
        subprocess.CalledProcessError: it ended without a result.
    """
    command = [sys.executable, "-m", "ingest.probe.probe"]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdin is not None  # noqa: S101 - as asked for
        assert process.stdout is not None  # noqa: S101
        began_at = time.monotonic()
        timer = threading.Timer(limit_s, process.kill)
        timer.start()
        try:
            # The source goes in by standard input: arguments are in everybody's process list.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(asdict(task)).encode())
                process.stdin.close()
            for line in process.stdout:
                record: dict[str, Any] = json.loads(line)
                if "step" not in record:
                    return record
                note(record)
        finally:
            timer.cancel()
            process.kill()
    if time.monotonic() - began_at >= limit_s:
        raise subprocess.TimeoutExpired(command, limit_s)
    raise subprocess.CalledProcessError(process.returncode, command)


def _without_picture(job: RunningJob | None, found: dict[str, Any]) -> dict[str, Any]:
    """Move the picture out of the job's result, to where Redis keeps it in memory only."""
    picture = base64.b64decode(found[SNAPSHOT_FIELD])
    if job is None or not picture:
        return found
    job.bus.pictures.put(probe_picture(job.id), {SNAPSHOT: picture}, RESULT_KEPT_S)
    return {**found, SNAPSHOT_FIELD: ""}


def probe_source(
    source: str,
    settings: Settings,
    tell: Tell = lambda _: None,
    options: PictureOptions = AS_SIGNALLED,
) -> ProbeResult:
    """Open `source`, take one picture, and describe it. No fault of a source raises an error."""
    try:
        kind = parse_source(source).kind
        tell("resolving" if kind in {"rtsp", "http"} else "waiting")
        with opening_steps(tell):
            opened = open_source(source, settings, _Patience(), options=options)
            try:
                return _look(source, opened, tell)
            finally:
                opened.close()
    except SourceError as error:
        return failed(source, error)
    except MemoryError:
        return failed(source, too_large(redact_url(source)))


def failed(source: str, error: SourceError) -> ProbeResult:
    return ProbeResult(redact_url(source), False, error=error.kind, detail=str(error))


def _look(source: str, opened: OpenSource, tell: Tell) -> ProbeResult:
    tell("waiting")
    frames = opened.frames()
    first = next(frames)
    image = first.image(SNAPSHOT_WIDTH)
    tell("measuring")
    info = opened.info
    # Only a picture tells how its stream wants to be turned.
    width, height = opened.health.size or info.size
    return ProbeResult(
        redact_url(source),
        True,
        width or image.shape[1],
        height or image.shape[0],
        round(rate_of(info.fps, first, frames), 2),
        info.codec,
        info.medium,
        base64.b64encode(encode_jpeg(image, SNAPSHOT_QUALITY)).decode(),
    )


_TASK: Final = TypeAdapter(_Task)


class _Patience:
    """Stands in for a reader's pulse: the probe's process has a time limit as a whole instead."""

    def extend(self, seconds: float) -> None:
        """Do nothing: no watchdog watches a probe."""

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return False


def _main() -> None:
    settings, writer = load_settings(), StepWriter(sys.stdout)
    limit_memory(settings.reader_memory_mb)
    task = _TASK.validate_json(sys.stdin.read())
    result = probe_source(task.source, settings, writer.tell, task.options)
    sys.stdout.write(json.dumps(asdict(result)) + "\n")


if __name__ == "__main__":
    _main()
