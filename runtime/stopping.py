"""Ending when told to, whatever hangs."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any, Final

LATEST_S: Final = 1.6


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM and SIGINT, and end this process soon after, come what may."""

    def handle(*_: Any) -> None:
        stop.set()
        end_for_sure()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def end_for_sure() -> None:
    """End this process within two seconds even if it waits for a Redis that hangs.

    Nothing is lost: readers die with it and leases run out.
    """
    timer = threading.Timer(LATEST_S, os._exit, (0,))
    timer.daemon = True
    timer.start()
