"""Tells how far opening a source is, from what FFmpeg and our proxy log of it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, TextIO

import av.logging

from contract.probes import ProbeStep
from ingest import web_proxy
from ingest.overheard import heard

# Verbose messages of FFmpeg 5 to 8 (libavformat/tcp.c, rtsp.c). What they say beyond their
# beginning, such as an address with its password, goes nowhere.
_DIRECT: Final[dict[tuple[str, str], ProbeStep]] = {
    ("libav.tcp", "Starting connection attempt"): "connecting",
    ("libav.tcp", "Successfully connected"): "authenticating",
    ("libav.rtsp", "SDP:"): "waiting",
}
# Of a web address FFmpeg reaches the proxy alone, and always.
_BY_PROXY: Final[dict[tuple[str, str], ProbeStep]] = {
    (web_proxy.__name__, web_proxy.CONNECTING): "connecting",
    (web_proxy.__name__, web_proxy.CONNECTED_TO): "authenticating",
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
def opening_steps(tell: Tell, web: bool) -> Iterator[None]:
    """Tell the steps of what is opened meanwhile. In a process that does nothing else.

    web: it is a web address, which goes through the proxy.
    """
    listener = _Listener(tell, _BY_PROXY if web else _DIRECT)
    with ExitStack() as logs:
        for name in ("libav", web_proxy.__name__):
            logs.enter_context(heard(logging.getLogger(name), listener))
        av.logging.set_level(av.logging.VERBOSE)
        try:
            yield
        finally:
            av.logging.set_level(None)


class _Listener(logging.Handler):
    def __init__(self, tell: Tell, beginnings: dict[tuple[str, str], ProbeStep]) -> None:
        super().__init__()
        self._tell = tell
        self._beginnings = beginnings

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        for (name, beginning), step in self._beginnings.items():
            if record.name == name and message.startswith(beginning):
                self._tell(step)
