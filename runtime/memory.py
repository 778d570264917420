"""Configures glibc to keep the memory of freed pictures, or to return it to the kernel."""

from __future__ import annotations

import ctypes
from typing import Final

_LIBC: Final = ctypes.CDLL(None)
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
FROM_THE_HEAP_BYTES: Final = 32 * 1024 * 1024
"""Largest block that glibc takes from the heap: its own maximum, enough for a 3840x2160 picture."""
KEPT_BYTES: Final = 256 * 1024 * 1024
GIVEN_BACK_FROM_BYTES: Final = 64 * 1024
"""Smallest block that glibc returns to the kernel: most pictures are larger, most long-lived data
smaller."""


def keep_freed_memory() -> bool:
    """Have glibc reuse the memory of freed pictures; False where there is no such setting.

    A 1920x1080 picture is 6 MB. By default, glibc returns that to the kernel when the picture is
    freed, and fetches it again, page by page, for the next one: 2,000 page faults and 3 to 4 ms of
    processor time per JPEG, nearly as much as decoding it. All threads share one heap, so the
    process keeps at most its own past maximum. Call this before starting threads.
    """
    if not hasattr(_LIBC, "mallopt"):
        return False
    _LIBC.mallopt(_M_ARENA_MAX, 1)
    from_the_heap = _LIBC.mallopt(_M_MMAP_THRESHOLD, FROM_THE_HEAP_BYTES)
    return bool(from_the_heap and _LIBC.mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES))


def give_back_freed_memory() -> bool:
    """Have glibc give pictures' memory back when they are freed; False where it cannot.

    For processes that pass pictures on and rarely decode one. By default, after freeing one picture
    glibc places others among long-lived data, and the process grows with every peak of viewers
    (docs/adr/0032). Separate pages cost some microseconds per picture. Call this before starting
    threads; forked child processes inherit it.
    """
    if not hasattr(_LIBC, "mallopt"):
        return False
    _LIBC.mallopt(_M_ARENA_MAX, 1)
    return bool(_LIBC.mallopt(_M_MMAP_THRESHOLD, GIVEN_BACK_FROM_BYTES))
