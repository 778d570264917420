"""Looks at a source once, before it is registered: is it there, and what does it show?

The dashboard asks for it through the job queue, never inside a web request:

    Queue(keys.JOBS_QUEUE, connection=redis, serializer=JSONSerializer).enqueue(
        "ingest.probe.probe_camera", redact_url(source), vault.seal(source),
        description="probe a camera", job_timeout=60, ttl=60, result_ttl=60, failure_ttl=60,
    )

A source with a password goes through Redis encrypted; the description keeps even that out of RQ's
log. The job's result is `ProbeResult` as a dictionary.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from contract.errors import (
    SecretKeyError,
    SourceError,
    SourceLockedError,
    SourceTimeoutError,
)
from contract.redaction import redact_url
from contract.settings import Settings, load_settings
from contract.vault import Vault
from ingest.encoding import encode_jpeg
from ingest.source import CapturedFrame, OpenSource, open_source

SNAPSHOT_WIDTH: Final = 640
SNAPSHOT_QUALITY: Final = 80
MEASURED_FRAMES: Final = 12
START_UP_S: Final = 5.0


@dataclass(frozen=True)
class ProbeResult:
    """What a source shows, or why it shows nothing."""

    source: str
    """Redacted."""
    reachable: bool
    width: int = 0
    height: int = 0
    fps: float = 0.0
    codec: str = ""
    snapshot_jpeg_base64: str = ""
    error: str = ""
    """`kind` of the `SourceError`; empty when reachable."""
    detail: str = ""
    """The error in plain words."""


def probe_camera(source: str, sealed: str | None = None) -> dict[str, Any]:
    """Run `probe_source` in a process of its own, within a time limit. This is the RQ job.

    `sealed` is the whole address where `source` is redacted. FFmpeg may hang or crash on what a
    stranger's address sends; neither reaches the worker.
    """
    settings = load_settings()
    if sealed is not None:
        try:
            source = Vault(settings.where_the_secret_key_is).open(sealed)
        except SecretKeyError as error:
            words = f"the address came encrypted, and the jobs process cannot open it: {error}"
            return asdict(failed(source, SourceLockedError(words)))
    limit_s = settings.open_timeout_s + settings.read_timeout_s + START_UP_S
    try:
        # The source goes in by standard input: arguments are in everybody's process list.
        done = subprocess.run(
            [sys.executable, "-m", "ingest.probe"],
            input=source.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limit_s,
            check=True,
        )
    except subprocess.TimeoutExpired:
        words = f"expected a picture from {redact_url(source)} within {limit_s:g} s, found none"
        return asdict(failed(source, SourceTimeoutError(words)))
    except subprocess.CalledProcessError:
        words = f"what {redact_url(source)} sends could not be read at all"
        return asdict(failed(source, SourceError(words)))
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def probe_source(source: str, settings: Settings) -> ProbeResult:
    """Open `source`, take one picture, and say what it is. Raises nothing a source can cause."""
    try:
        opened = open_source(source, settings, _Patience())
        try:
            return _look(source, opened)
        finally:
            opened.close()
    except SourceError as error:
        return failed(source, error)


def failed(source: str, error: SourceError) -> ProbeResult:
    return ProbeResult(redact_url(source), False, error=error.kind, detail=str(error))


def _look(source: str, opened: OpenSource) -> ProbeResult:
    frames = opened.frames()
    first = next(frames)
    image = first.image(SNAPSHOT_WIDTH)
    info = opened.info
    return ProbeResult(
        redact_url(source),
        True,
        info.width or image.shape[1],
        info.height or image.shape[0],
        round(info.fps or _measure_fps(frames), 2),
        info.codec,
        base64.b64encode(encode_jpeg(image, SNAPSHOT_QUALITY)).decode(),
    )


def _measure_fps(frames: Iterator[CapturedFrame]) -> float:
    began_s = time.monotonic()
    counted = sum(1 for _ in islice(frames, MEASURED_FRAMES))
    return counted / max(1e-3, time.monotonic() - began_s)


class _Patience:
    """A life sign that nobody watches: the whole process has a time limit."""

    def extend(self, seconds: float) -> None:
        """Nobody watches."""

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        return False


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(probe_source(sys.stdin.read(), load_settings()))))
