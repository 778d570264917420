"""Reads details from FFmpeg's log that its errors lack, while it opens an RTSP source.

Over RTSP, FFmpeg reports silence, a closed connection and a web page as the same error, and all
answers from 405 to 499 as another (FFmpeg 5 to 8: libavformat/rtsp.c, http.c). Its log differs.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import av.logging

_FAILED_READ: Final = re.compile(r"Failed reading RTSP data: (.*)")
_WAITED: Final = re.compile("timed out|exit requested")
_REFUSED_METHOD: Final = re.compile(r"method ([A-Z_]+) failed: (\d{3})")


class Overheard(logging.Handler):
    """Keeps only details that are known to be harmless, and never an address or a password."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self.silent = False
        """Whether FFmpeg waited for an answer until the time limit."""
        self.hung_up = False
        """Whether the camera closed the connection instead of answering."""
        self.method = ""
        """The refused request, such as `DESCRIBE`."""
        self.status = 0
        """Status of the refusal; 0 if there was none."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread:
            return  # another thread opens a source too
        message = record.getMessage()
        if failed := _FAILED_READ.match(message):
            self.silent = bool(_WAITED.search(failed[1]))
            self.hung_up = not self.silent
        elif refused := _REFUSED_METHOD.match(message):
            self.method, self.status = refused[1], int(refused[2])


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """Listen to the source that this thread opens within the block.

    Decoders with several threads would deadlock with Python's logging, but FFmpeg opens a source in
    one thread.
    """
    overheard, level = Overheard(), av.logging.get_level()
    av.logging.set_level(max(level or 0, av.logging.INFO))
    av.logging.set_skip_repeated(False)  # the next attempt may fail with the same message
    try:
        with heard(logging.getLogger("libav"), overheard):
            yield overheard
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(True)


@contextmanager
def heard(log: logging.Logger, listener: logging.Handler) -> Iterator[None]:
    """Within the block, send all records of `log` to `listener` only."""
    propagate, log.propagate = log.propagate, False
    level = log.level
    log.setLevel(1)
    log.addHandler(listener)
    try:
        yield
    finally:
        log.removeHandler(listener)
        log.setLevel(level)
        log.propagate = propagate
