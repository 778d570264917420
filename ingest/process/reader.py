"""The service's handle on one reader process."""

from __future__ import annotations

import contextlib
import logging
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Final

from bus.clock import SharedClock
from bus.members.leases import Lease
from contract.cameras.camera import Camera
from ingest.process.assignment import Assignment
from ingest.process.pulse import Pulse
from runtime.settings import Settings

CONTEXT: Final = get_context("forkserver")
"""The context that forks readers from a small process, which has loaded their modules and runs
nothing."""
_log = logging.getLogger(__name__)


def prepare_fork_server() -> None:
    """Load the readers' modules in the fork server, once, and wait until they are loaded.

    Call it before taking over cameras: loading takes one or two seconds, and a camera that just
    lost its reader must not wait for it.
    """
    CONTEXT.set_forkserver_preload(["ingest.process.reader_process"])
    first = CONTEXT.Process(target=_do_nothing, daemon=True)
    first.start()
    first.join()


def _do_nothing() -> None:
    pass


def _read_camera(assignment: Assignment, orders: Connection, pulse: Pulse) -> None:
    # Imported in the fork server only: the service needs neither FFmpeg nor OpenCV (35 MB).
    from ingest.process.reader_process import read_camera

    read_camera(assignment, orders, pulse)


class Reader:
    """One camera's process."""

    def __init__(
        self,
        camera: Camera,
        lease: Lease,
        settings: Settings,
        reconnects: int = 0,
        clock: SharedClock | None = None,
    ) -> None:
        self.camera = camera
        self.lease = lease
        self.reconnects = reconnects
        self.pulse = Pulse(CONTEXT)
        self._orders_in, self._orders = CONTEXT.Pipe(duplex=False)
        assignment = Assignment(camera, lease, settings, reconnects, clock or SharedClock())
        self._process = CONTEXT.Process(
            target=_read_camera,
            args=(assignment, self._orders_in, self.pulse),
            name=f"reader-{camera.id}",
            daemon=True,
        )

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def start(self) -> None:
        self._process.start()
        self._orders_in.close()

    def alive(self) -> bool:
        return self._process.is_alive()

    def renew(self, lease: Lease) -> None:
        """Let the reader continue under another lease."""
        self.lease = lease
        self._order(lease)

    def ask_to_stop(self) -> None:
        self._order(None)

    def end(self, timeout_s: float) -> None:
        """Wait for the process to end, or kill it; free its resources."""
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()
        self._orders.close()

    def _order(self, order: Lease | None) -> None:
        with contextlib.suppress(OSError):  # it is gone already
            self._orders.send(order)
