"""Runs one camera in its own process, with two threads, so that it cannot disturb the others."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
import time
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Final

# The fork server loads this once, and all readers share it.
import av
import cv2

from bus.bus import Bus
from bus.clock import SharedClock
from bus.members.leases import Lease
from ingest.process.assignment import Assignment
from ingest.process.capture import Capture, follows
from ingest.process.connection_state import ConnectionState
from ingest.process.following import Follower
from ingest.process.outbox import Outbox
from ingest.process.pulse import Pulse, ReaderLife
from ingest.process.reporter import Reporter
from ingest.sources import video as video_source  # noqa: F401 - loaded for the readers' sake
from runtime.logs import configure_logging
from runtime.memory import keep_freed_memory
from runtime.process_limits import limit_memory
from runtime.settings import Settings
from runtime.tracing import start_tracing

LAST_WORDS_S: Final = 0.3
ORPHANED_LEASE_S: Final = 10.0
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_log = logging.getLogger(__name__)


def read_camera(assignment: Assignment, orders: Connection, pulse: Pulse) -> None:
    """Run one camera until told to stop, then end this process.

    `orders` delivers a new `Lease`, or None to stop. The capturing thread may hang in FFmpeg
    forever, so this process ends without waiting for it.
    """
    stop = threading.Event()
    _prepare_process(stop, assignment.settings)
    _name_process(assignment.camera.id)
    bus = Bus.open(assignment.settings, f"ingest-{assignment.camera.id}")
    outbox = Outbox()
    clock = assignment.clock
    state = _state(assignment)
    life = ReaderLife(pulse, stop)
    tracing = start_tracing("ingest", assignment.settings, clock)
    capture = Capture(assignment.camera, assignment.settings, outbox, state, life, clock, tracing)
    thread = threading.Thread(target=capture.run, name="capture", daemon=True)
    thread.start()
    reporter = _reporter(bus, assignment, outbox, state, stop)
    _report(reporter, orders, stop, thread)
    stop.set()
    thread.join(LAST_WORDS_S)
    # Redis may hang too: the last counts get as much time as the last picture.
    threading.Timer(LAST_WORDS_S, os._exit, (0,)).start()
    reporter.flush()
    os._exit(0)


def _state(assignment: Assignment) -> ConnectionState:
    camera = assignment.camera
    # A film that follows the workers may be slow without a fault.
    wanted_fps = 0.0 if follows(camera, assignment.settings) else camera.analysis_fps
    lease, clock = assignment.lease, assignment.clock
    return ConnectionState(lease.owner, assignment.reconnects, clock, wanted_fps)


def _reporter(
    bus: Bus, assignment: Assignment, outbox: Outbox, state: ConnectionState, stop: threading.Event
) -> Reporter:
    settings, camera = assignment.settings, assignment.camera
    outcomes = bus.outcomes(settings.history_days)
    return make_reporter(
        bus,
        assignment.lease,
        outbox,
        state,
        stop,
        stream_max_frames=settings.stream_max_frames,
        follower=Follower(outcomes, camera.id) if follows(camera, settings) else None,
        clock=assignment.clock,
    )


def make_reporter(
    bus: Bus,
    lease: Lease,
    outbox: Outbox,
    state: ConnectionState,
    stop: threading.Event,
    *,
    stream_max_frames: int,
    follower: Follower | None = None,
    clock: SharedClock | None = None,
) -> Reporter:
    """Return a reporter that writes to the Redis of `bus`."""
    publisher = bus.publisher(lease, stream_max_frames)
    kept_clock, outage = bus.kept_clock(clock or SharedClock()), bus.outage(stop)
    return Reporter(publisher, bus.statuses, kept_clock, outage, outbox, state, follower)


def _report(
    reporter: Reporter, orders: Connection, stop: threading.Event, thread: threading.Thread
) -> None:
    while not stop.is_set() and thread.is_alive():
        reporter.step(stop)
        while not stop.is_set() and orders.poll():
            try:
                order = orders.recv()
            except EOFError:  # the service was killed, and this process will be too
                return
            if order is None:
                return
            reporter.renew(order)
        lost_s = reporter.lease_lost_s
        # No process holds the lease: Redis lost it. Our counts must still be written.
        orphaned = lost_s is not None and time.monotonic() - lost_s > ORPHANED_LEASE_S
        if orphaned and reporter.replaced():
            return


def _prepare_process(stop: threading.Event, settings: Settings) -> None:
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the service handles them and stops us
    _die_with_parent()
    configure_logging("ingest", settings.log_level, settings.log_format)
    limit_memory(settings.reader_memory_mb)
    keep_freed_memory()
    cv2.setNumThreads(1)
    av.logging.set_level(None)


def _name_process(camera_id: str) -> None:
    """Show the camera in `ps` and `top`; the kernel keeps 15 bytes."""
    ctypes.CDLL(None).prctl(_PR_SET_NAME, f"cam{camera_id}".encode()[:15], 0, 0, 0)


def _die_with_parent() -> None:
    """End at once when the service ends for any reason.

    The kernel's death signal covers a killed fork server, the sentinel a killed service.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
