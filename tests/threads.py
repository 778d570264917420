"""Work that goes on in a thread while a test looks on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_thread(work: Callable[[], object], stop: threading.Event) -> Iterator[None]:
    """Have `work` done until the end of the block, which sets `stop` and waits for it."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
