"""What a process does with a freed picture's memory: keeps it for the next, or gives it back."""

from __future__ import annotations

import ctypes
from typing import Final

_LIBC: Final = ctypes.CDLL(None)
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
FROM_THE_HEAP_BYTES: Final = 32 * 1024 * 1024
"""The largest that glibc allows; a picture of 3840x2160 fits."""
KEPT_BYTES: Final = 256 * 1024 * 1024
GIVEN_BACK_FROM_BYTES: Final = 64 * 1024
"""Smaller than most pictures, larger than nearly all that lives long."""


def keep_freed_memory() -> bool:
    """Have glibc reuse the memory of freed pictures; False where there is no such setting.

    A 1920x1080 picture is 6 MB. Left alone, glibc gives that back to the kernel when it is freed
    and gets it anew, page by page, for the next one: 2,000 page faults and 3 to 4 ms of processor
    time for each JPEG read, nearly as much as reading it takes. What is kept is at most what the
    process once used at a time, because all threads share one heap: one each would keep pictures
    of its own. Call it before threads begin.
    """
    if not hasattr(_LIBC, "mallopt"):
        return False
    _LIBC.mallopt(_M_ARENA_MAX, 1)
    from_the_heap = _LIBC.mallopt(_M_MMAP_THRESHOLD, FROM_THE_HEAP_BYTES)
    return bool(from_the_heap and _LIBC.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES))


def give_back_freed_memory() -> bool:
    """Have glibc give pictures' memory back when they are freed; False where it cannot.

    For who passes pictures on and rarely decodes one. Left alone, glibc puts them among what lives
    long as soon as it has freed one, and the process grows in steps with every hour's most viewers
    (docs/adr/0032). A picture of its own pages costs some microseconds. Call it before threads
    begin; child processes that are forked inherit it.
    """
    if not hasattr(_LIBC, "mallopt"):
        return False
    _LIBC.mallopt(_M_ARENA_MAX, 1)
    return bool(_LIBC.mallopt(_M_MMAP_THRESHOLD, GIVEN_BACK_FROM_BYTES))
