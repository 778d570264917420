"""Ends a process on signals, even if it hangs, and when its parent ends."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

LATEST_S: Final = 1.6
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


def stop_on_signals(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM, SIGINT and SIGHUP, and end this process soon after in any case."""

    def handle(*_: Any) -> None:
        stop.set()
        end_for_sure()

    handle_ends(handle)


def handle_ends(handle: Callable[..., None]) -> None:
    """Have `handle` called when this process is told to end, or when its terminal is closed.

    A process that was started with `nohup` goes on without its terminal.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, handle)


def end_for_sure() -> None:
    """End this process within two seconds even if it waits for a Redis that hangs.

    No data is lost: the process' readers die with it and its leases expire.
    """
    timer = threading.Timer(LATEST_S, os._exit, (0,))
    timer.daemon = True
    timer.start()


def die_with_parent() -> None:
    """Ask the kernel (Linux) for SIGTERM when the parent ends, even by SIGKILL.

    For `preexec_fn`; does nothing where the call does not exist.
    """
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
