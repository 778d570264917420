"""Tells how far opening a source is, from what FFmpeg itself logs of it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

import av.logging

from contract.probes import ProbeStep

# Verbose messages of FFmpeg 5 to 8 (libavformat/tcp.c, rtsp.c). What they say beyond their
# beginning, such as an address with its password, goes nowhere.
_BEGINNINGS: Final[dict[tuple[str, str], ProbeStep]] = {
    ("libav.tcp", "Starting connection attempt"): "connecting",
    ("libav.tcp", "Successfully connected"): "authenticating",
    ("libav.rtsp", "SDP:"): "waiting",
}

Tell = Callable[[ProbeStep], None]


class StepWriter:
    """Writes each step once, as a line of JSON, with the seconds since the first."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began_at = time.monotonic()
        self._told: set[ProbeStep] = set()

    def tell(self, step: ProbeStep) -> None:
        """Say that `step` has begun. A host with several addresses begins some steps again."""
        if step not in self._told:
            self._told.add(step)
            after_s = round(time.monotonic() - self._began_at, 2)
            self._out.write(json.dumps({"step": step, "after_s": after_s}) + "\n")
            self._out.flush()


@contextmanager
def ffmpeg_steps(tell: Tell) -> Iterator[None]:
    """Tell the steps of what FFmpeg opens meanwhile. In a process that does nothing else."""
    log, listener = logging.getLogger("libav"), _Listener(tell)
    propagate, log.propagate = log.propagate, False
    level = log.level
    log.setLevel(1)
    log.addHandler(listener)
    av.logging.set_level(av.logging.VERBOSE)
    try:
        yield
    finally:
        av.logging.set_level(None)
        log.removeHandler(listener)
        log.setLevel(level)
        log.propagate = propagate


class _Listener(logging.Handler):
    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        for (name, beginning), step in _BEGINNINGS.items():
            if record.name == name and message.startswith(beginning):
                self._tell(step)
