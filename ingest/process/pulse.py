"""How a reader process shows its watchdog that it is not stuck."""

from __future__ import annotations

import threading
import time
from multiprocessing.context import ForkServerContext
from typing import Any, Final

MARGIN_S: Final = 8.0
"""For what a reader does between two signs: draws, converts, encodes, on a machine that is busy."""


class Pulse:
    """A number shared between two processes: until when the reader promised another sign.

    The clock is the machine's monotonic one, which all its processes share.
    """

    def __init__(self, context: ForkServerContext) -> None:
        # Without a lock: one writer, one aligned double, and a killed writer holds nothing.
        self._until_s: Any = context.RawValue("d", time.monotonic() + 30.0)

    def extend(self, seconds: float) -> None:
        """Promise another sign within `seconds`."""
        self._until_s.value = time.monotonic() + seconds

    def overdue_s(self) -> float:
        """Seconds by which the promise is broken; negative while it holds."""
        return time.monotonic() - float(self._until_s.value)


class ReaderLife:
    """The reader's end of a pulse, and its order to stop."""

    def __init__(self, pulse: Pulse, stop: threading.Event) -> None:
        self._pulse = pulse
        self.stop = stop

    def extend(self, seconds: float) -> None:
        self._pulse.extend(seconds)

    def wait(self, seconds: float) -> bool:
        """Pause; True when the reader is to end."""
        self._pulse.extend(seconds + MARGIN_S)
        return self.stop.wait(seconds)
