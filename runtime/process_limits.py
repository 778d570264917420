"""Limits of the operating system for processes that decode data from strangers.

The data decides how much memory and time a decoder needs. With these limits only the decoder's own
process fails, and is started again; without them the machine would fail.
"""

from __future__ import annotations

import math
import resource
from typing import Final

MEGABYTE: Final = 1024 * 1024


def limit_memory(most_mb: int) -> None:
    """Limit this process, and each process it starts, to `most_mb` megabytes of data.

    The limit covers private writable memory (Linux' `RLIMIT_DATA`), not mapped libraries and files.
    Beyond it allocations fail: Python and FFmpeg raise `MemoryError`, OpenCV and ONNX Runtime their
    own errors.
    """
    _lower(resource.RLIMIT_DATA, most_mb * MEGABYTE)


def limit_processor_time(most_s: float) -> None:
    """End this process after `most_s` more seconds of processor time, summed over all cores."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + most_s))


def _lower(which: int, value: int) -> None:
    """Lower a limit, never above the limit that the parent process set."""
    _, hard = resource.getrlimit(which)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (allowed, allowed))
