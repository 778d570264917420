"""The signs of life that a reader process gives to its watchdog."""

from __future__ import annotations

import threading
import time
from multiprocessing.context import ForkServerContext
from typing import Any, Final

MARGIN_S: Final = 8.0
"""Seconds for a reader's work between two signs: drawing, converting and encoding on a busy
machine."""


class Pulse:
    """A number shared between two processes: the time by which the reader promised its next sign.

    The clock is the machine's monotonic one, which all its processes share.
    """

    def __init__(self, context: ForkServerContext) -> None:
        # Without a lock: one writer, one aligned double, and a killed writer holds nothing.
        self._until_s: Any = context.RawValue("d", time.monotonic() + 30.0)

    def extend(self, seconds: float) -> None:
        """Promise the next sign of life within `seconds`."""
        self._until_s.value = time.monotonic() + seconds

    def overdue_s(self) -> float:
        """Return the seconds by which the sign is late; negative if it is not due yet."""
        return time.monotonic() - float(self._until_s.value)


class ReaderLife:
    """The reader's end of a pulse, and its order to stop."""

    def __init__(self, pulse: Pulse, stop: threading.Event) -> None:
        self._pulse = pulse
        self.stop = stop

    def extend(self, seconds: float) -> None:
        self._pulse.extend(seconds)

    def wait(self, seconds: float) -> bool:
        """Pause; return True if the reader must end."""
        self._pulse.extend(seconds + MARGIN_S)
        return self.stop.wait(seconds)
