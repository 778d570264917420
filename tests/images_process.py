"""What takes uploaded images: a thread with networks that find what they are told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bus.keys import IMAGES_QUEUE
from bus.stores.uploads import UploadStore
from tests.builders import ScriptedClassifier, ScriptedDetector
from tests.threads import in_thread
from worker.networks import Networks
from worker.uploads.image_jobs import analyse_upload

BOX = (10.0, 10.0, 50.0, 60.0)
SMALL = (80.0, 10.0, 90.0, 22.0)


def scripted_networks() -> Networks:
    """Finds a face that wears a mask and one too small to judge, in every image."""
    detector = ScriptedDetector([[SMALL, BOX]] * 1000)
    return Networks(lambda _: detector, "yunet", ScriptedClassifier())


@contextmanager
def images_process(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Analyse whatever is queued, in a thread, until the end."""
    monkeypatch.setattr("dashboard.try_it.image_uploads.ImageUploads.processes", lambda _: 1)
    queue = Queue(IMAGES_QUEUE, connection=redis, serializer=JSONSerializer)
    stop, networks = threading.Event(), scripted_networks()

    def work() -> None:
        while not stop.wait(0.005):
            if (job := redis.lpop(queue.key)) is not None:
                analyse_upload(UploadStore(redis), networks, job.decode())

    with in_thread(work, stop):
        yield
