"""A real worker in a thread of the test, with networks that find what they are told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from bus.bus import Bus
from runtime.tracing import OFF, Tracing
from tests.images_process import scripted_networks
from tests.threads import in_thread
from worker.service import make_ownership, make_worker


@contextmanager
def worker_thread(
    redis: Redis, *, lease_s: float = 1.0, staleness_s: float = 5.0, tracing: Tracing = OFF
) -> Iterator[None]:
    """Analyse all cameras until the end; a masked face is found in every frame."""
    bus, stop = Bus(redis), threading.Event()
    ownership = make_ownership(bus, "w1", lease_s, {})
    loop = make_worker(
        bus,
        scripted_networks(),
        ownership,
        stop,
        staleness_budget_s=staleness_s,
        max_batch=16,
        tracing=tracing,
    )
    ownership.start()
    try:
        with in_thread(loop.run, stop):
            yield
    finally:
        ownership.stop()
