"""What FFmpeg says while it opens an RTSP source, and does not say in its errors.

Over RTSP silence, a closed connection and a web page are one error to it, and all answers from 405
to 499 another (FFmpeg 5 to 8: libavformat/rtsp.c, http.c). Its log tells them apart.
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
    """Keeps the little that is known to be harmless; addresses with passwords go nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self._thread = threading.get_ident()
        self.silent = False
        """An answer was waited for as long as is allowed."""
        self.hung_up = False
        """The connection was closed where an answer was expected."""
        self.method = ""
        """What was refused: `DESCRIBE`, say."""
        self.status = 0
        """The status it was refused with; 0 when nothing was."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread:
            return  # somebody else opens something, too
        message = record.getMessage()
        if failed := _FAILED_READ.match(message):
            self.silent = bool(_WAITED.search(failed[1]))
            self.hung_up = not self.silent
        elif refused := _REFUSED_METHOD.match(message):
            self.method, self.status = refused[1], int(refused[2])


@contextmanager
def overhearing() -> Iterator[Overheard]:
    """Listen to what this thread opens meanwhile.

    Decoders of several threads would deadlock with Python's logging; while a source is opened
    FFmpeg uses one.
    """
    overheard, level = Overheard(), av.logging.get_level()
    av.logging.set_level(max(level or 0, av.logging.INFO))
    av.logging.set_skip_repeated(False)  # the next attempt fails with the same words
    try:
        with heard(logging.getLogger("libav"), overheard):
            yield overheard
    finally:
        av.logging.set_level(level)
        av.logging.set_skip_repeated(True)


@contextmanager
def heard(log: logging.Logger, listener: logging.Handler) -> Iterator[None]:
    """Let `listener`, and no handler further up, hear all of `log` meanwhile."""
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
