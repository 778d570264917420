"""Limits repeated log records, and reports how many were left out."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

MOST: Final = 5
"""Most records of one event in a window. An event is one place in the code about one camera or
rule."""
WINDOW_S: Final = 60.0

Event = tuple[str, int, int, tuple[str, ...]]


@dataclass
class _Window:
    """One event's count since its first record."""

    ends_s: float
    said: int = 0
    left_out: int = 0
    last: logging.LogRecord | None = None


class LogLimit:
    """Decides which records are written. Times are seconds of the given clock."""

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self._window_s = window_s
        self._clock = clock
        self._windows: dict[Event, _Window] = {}
        self._lock = threading.RLock()

    def admits(self, record: logging.LogRecord) -> bool:
        """Whether to write the record; at level DEBUG, every record."""
        if record.levelno <= logging.DEBUG:
            return True
        with self._lock:
            now_s = self._clock()
            window = self._windows.setdefault(_event(record), _Window(now_s + self._window_s))
            window.said += 1
            if window.said <= MOST:
                return True
            window.left_out, window.last = window.left_out + 1, _without_objects(record)
            return False

    def take_summaries(self, everything: bool = False) -> list[logging.LogRecord]:
        """Return the last record of each ended window, with the number of omitted records."""
        with self._lock:
            now_s = self._clock()
            over = {e: w for e, w in self._windows.items() if everything or now_s >= w.ends_s}
            for event in over:
                del self._windows[event]
        return [_summary(w.last, w.left_out, self._window_s) for w in over.values() if w.last]

    def next_s(self) -> float | None:
        """Return the seconds until the next summary; None if no record was left out."""
        with self._lock:
            ends = [window.ends_s for window in self._windows.values() if window.left_out]
            return max(0.0, min(ends) - self._clock()) if ends else None


class LimitedHandler(logging.StreamHandler[Any]):
    """Writes each event a few times a minute, then a summary of how many more there were.

    A timer writes the summary, so that it appears even if nothing else is logged.
    """

    def __init__(
        self,
        stream: Any,
        window_s: float = WINDOW_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(stream)
        self._limit = LogLimit(window_s, clock)
        self._timer: threading.Timer | None = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Write due summaries, and the record unless its event is over the limit."""
        self.say_what_was_left_out()
        if self._limit.admits(record):
            return bool(super().handle(record))
        self._set_timer()
        return False

    def say_what_was_left_out(self) -> None:
        """Write the summaries that are due."""
        for summary in self._limit.take_summaries():
            super().handle(summary)

    def close(self) -> None:
        """Write all remaining summaries; the process ends."""
        if self._timer is not None:
            self._timer.cancel()
        for summary in self._limit.take_summaries(everything=True):
            super().handle(summary)
        super().close()

    def _set_timer(self) -> None:
        # A timer of the parent process is not alive in a forked child.
        if self._timer is not None and self._timer.is_alive():
            return
        wait_s = self._limit.next_s()
        if wait_s is not None:
            self._timer = threading.Timer(wait_s, self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        self._timer = None
        self.say_what_was_left_out()
        self._set_timer()


def _event(record: logging.LogRecord) -> Event:
    subject = (getattr(record, name, "") for name in ("camera_id", "camera", "rule"))
    return record.pathname, record.lineno, record.levelno, tuple(map(str, subject))


def _without_objects(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy for later that keeps no traceback and no argument alive."""
    kept = copy.copy(record)
    kept.msg, kept.args = record.getMessage(), None
    kept.exc_info = kept.exc_text = kept.stack_info = None
    return kept


def _summary(last: logging.LogRecord, left_out: int, window_s: float) -> logging.LogRecord:
    more = "one more" if left_out == 1 else f"{left_out} more"
    within = "the last minute" if window_s == WINDOW_S else f"the last {window_s:g} s"
    last.msg = f"{last.msg} (and {more} in {within})"
    last.left_out = left_out
    return last
