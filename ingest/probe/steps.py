"""Reports the progress of opening a source, from the logs of FFmpeg and of our own connecting."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, TextIO

import av.logging

from contract.cameras.probes import ProbeStep
from ingest.reach import connecting
from ingest.reach.overheard import heard

# FFmpeg itself only connects to our relay or proxy. The steps are those of the relay or proxy.
_BEGINNINGS: Final[dict[tuple[str, str], ProbeStep]] = {
    (connecting.__name__, connecting.CONNECTING): "connecting",
    (connecting.__name__, connecting.CONNECTED_TO): "authenticating",
    # A verbose message of FFmpeg 5 to 8 (libavformat/rtsp.c). We read only its
    # beginning.
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
        """Report that `step` began. A host with several addresses may begin a step again."""
        if step not in self._told:
            self._told.add(step)
            after_s = round(time.monotonic() - self._began_at, 2)
            self._out.write(json.dumps({"step": step, "after_s": after_s}) + "\n")
            self._out.flush()


@contextmanager
def opening_steps(tell: Tell) -> Iterator[None]:
    """Report the steps of opening within the block. Use it in a process that does nothing else."""
    listener = _Listener(tell)
    with ExitStack() as logs:
        for name in ("libav", connecting.__name__):
            logs.enter_context(heard(logging.getLogger(name), listener))
        av.logging.set_level(av.logging.VERBOSE)
        try:
            yield
        finally:
            av.logging.set_level(None)


class _Listener(logging.Handler):
    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        for (name, beginning), step in _BEGINNINGS.items():
            if record.name == name and message.startswith(beginning):
                self._tell(step)
