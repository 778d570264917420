"""Frames followed from a real camera through every stage, to a real receiver of traces."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from redis import Redis

from bus.bus import Bus
from contract.cameras.camera import Camera, make_camera
from dashboard.live.hub import make_hub
from ingest.process.capture import Capture
from ingest.process.connection_state import ConnectionState
from ingest.process.outbox import Outbox
from ingest.process.pulse import Pulse, ReaderLife
from ingest.process.reader import CONTEXT
from ingest.process.reader_process import make_reporter
from runtime.settings import Settings, load_settings
from runtime.tracing import start_tracing
from tests.builders import take_lease
from tests.integration.test_dashboard_hub import eventually
from tests.secret_key import cameras_of
from tests.servers.http import http_cameras
from tests.servers.otlp import Receiver, otlp_receiver
from tests.worker_thread import worker_thread

STAGES = {
    "capture": "maskwatch-ingest",
    "encode": "maskwatch-ingest",
    "queue": "maskwatch-worker",
    "decode": "maskwatch-worker",
    "detect": "maskwatch-worker",
    "track": "maskwatch-worker",
    "classify": "maskwatch-worker",
    "commit": "maskwatch-worker",
    "shown": "maskwatch-dashboard",
}
LONG_S = 120.0
SECRET = b"s3cret"


def test_a_followed_frame_is_seen_in_every_stage_and_its_cameras_password_in_none(
    redis: Redis,
) -> None:
    with ExitStack() as running:
        receiver = running.enter_context(otlp_receiver())
        address = running.enter_context(http_cameras()).replace("//", "//admin:s3cret@")
        settings = load_settings({}, trace_every=2, trace_url=receiver.url)
        camera = cameras_of(redis).add(
            make_camera(name="Hall rtsp://u:s3cret@h/", source=f"{address}/mjpeg")
        )
        running.enter_context(ingest(redis, camera, settings))
        running.enter_context(
            worker_thread(
                redis, lease_s=60.0, staleness_s=60.0, tracing=start_tracing("worker", settings)
            )
        )
        hub = make_hub(Bus(redis), start_tracing("dashboard", settings))
        running.enter_context(hub.watch([camera.id]))
        assert eventually(lambda: whole(receiver), LONG_S)
    spans = whole(receiver)
    assert {span.name: service for service, span in spans} == STAGES
    [root] = [span for _, span in spans if not span.parent_span_id]
    assert root.name == "capture"
    assert {span.parent_span_id for _, span in spans} == {b"", root.span_id}
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for _, span in spans)
    attributes = {a.key: a.value.string_value for a in root.attributes}
    assert attributes == {
        "maskwatch.camera": "Hall rtsp://***@h/",
        "maskwatch.camera_id": camera.id,
    }
    assert SECRET not in b"".join(receiver.bodies)


@contextmanager
def ingest(redis: Redis, camera: Camera, settings: Settings) -> Iterator[None]:
    """What runs in a camera's reader process, in threads of this one."""
    stop, outbox, state = threading.Event(), Outbox(), ConnectionState("test")
    life = ReaderLife(Pulse(CONTEXT), stop)
    tracing = start_tracing("ingest", settings)
    capture = Capture(camera, settings, outbox, state, life, tracing=tracing)
    lease = take_lease(redis, camera.id, "ingest")
    reporter = make_reporter(Bus(redis), lease, outbox, state, stop, stream_max_frames=8)

    def report() -> None:
        while not stop.is_set():
            reporter.step(stop)

    threads = [threading.Thread(target=run) for run in (capture.run, report)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def whole(receiver: Receiver) -> list[tuple[str, Any]]:
    """The spans of a frame that all stages wrote of."""
    traces = receiver.traces().values()
    return next((t for t in traces if {span.name for _, span in t} == set(STAGES)), [])
