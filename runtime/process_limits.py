"""What the operating system lets a process take that decodes what strangers send.

A decoder asks for memory and time as the data tells it to. Within these limits it fails in its own
process, which is told apart and started anew; without them the machine fails.
"""

from __future__ import annotations

import math
import resource
from typing import Final

MEGABYTE: Final = 1024 * 1024


def limit_memory(most_mb: int) -> None:
    """Let this process, and what it starts, hold at most `most_mb` megabytes of data each.

    Counted is what a process may write to and shares with nobody (Linux' `RLIMIT_DATA`), so
    mapped libraries and files are not. Beyond it allocations fail: `MemoryError` in Python and
    from FFmpeg, an error of their own from OpenCV and ONNX Runtime.
    """
    _lower(resource.RLIMIT_DATA, most_mb * MEGABYTE)


def limit_processor_time(most_s: float) -> None:
    """End this process once it has used `most_s` more seconds of processor time, over all cores."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + most_s))


def _lower(which: int, value: int) -> None:
    """Never above what whoever started this process has set."""
    _, hard = resource.getrlimit(which)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (allowed, allowed))
