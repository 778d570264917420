"""A real worker in a thread of the test, with networks that find what they are told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from runtime.tracing import OFF, Tracing
from tests.images_process import scripted_networks
from tests.threads import in_thread
from worker.intake import Intake
from worker.ownership import OwnershipThread
from worker.service import Worker


@contextmanager
def worker_thread(
    redis: Redis, *, lease_s: float = 1.0, staleness_s: float = 5.0, tracing: Tracing = OFF
) -> Iterator[None]:
    """Analyse all cameras until the end; a masked face is found in every frame."""
    stop, ownership = threading.Event(), OwnershipThread(redis, "w1", lease_s, {})
    intake = Intake(redis, staleness_s, 16, tracing=tracing)
    loop = Worker(redis, scripted_networks(), intake, ownership, stop, tracing=tracing)
    ownership.start()
    try:
        with in_thread(loop.run, stop):
            yield
    finally:
        ownership.stop()
