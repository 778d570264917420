"""The ingest process: takes its share of the cameras and runs a reader for each."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass
from typing import Final

from bus.bus import Bus
from bus.clock import SharedClock
from bus.connection.client import Outage
from bus.connection.storage_watch import StorageWatch
from bus.errors import StoreError
from bus.members.leases import Ownership
from bus.members.members import member_name
from bus.stores.cameras import CameraRegistry
from bus.stores.status import StatusStore
from bus.stores.webcams import WebcamStore
from contract.cameras.camera import Camera
from contract.errors import LeaseLostError, MessageError
from contract.messages import to_json
from ingest.process.fleet import Fleet
from ingest.process.reader import prepare_fork_server
from runtime.logs import about
from runtime.settings import Settings
from runtime.stopping import stop_on_signals
from runtime.tracing import check_tracing
from runtime.vault import Vault

TICK_S: Final = 0.2
FAREWELL_S: Final = 0.7
SETTLE_S: Final = 60.0
"""Seconds a new process must run before it takes over cameras from another one, because each move
costs a camera one or two seconds of pictures. It takes a camera without a reader at once."""
UNLOCK_EVERY_S: Final = 5.0
WEBCAMS_EVERY_S: Final = 3.0
_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Run one ingest process until SIGTERM, SIGINT or SIGHUP.

    Raises:
        SettingsError: no Redis is configured, or tracing is on without its library.
    """
    bus = Bus.open(settings, "ingest", Vault(settings.where_the_secret_key_is))
    check_tracing(settings)
    _one_thread_a_reader()
    stop = threading.Event()
    stop_on_signals(stop)
    make_service(bus, settings, member_name(), stop).run()


def make_service(bus: Bus, settings: Settings, member: str, stop: threading.Event) -> IngestService:
    """Return a member of the ingest role on the Redis of `bus`, which has a vault."""
    clock = SharedClock()
    ownership = bus.ownership("ingest", member, settings.lease_s, SETTLE_S, clock)
    stores = IngestStores(bus.cameras, bus.statuses, bus.webcams)
    fleet, outage = Fleet(settings, clock), bus.outage(stop)
    return IngestService(stores, ownership, fleet, outage, bus.storage_watch(), stop)


def _one_thread_a_reader() -> None:
    # Libraries read these when a reader loads them. With thread pools, fifty readers would compete
    # for the cores.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        os.environ.setdefault(name, "1")


def _say_what_is_lost(cameras: int) -> None:
    """Log that the registry's revision fell, which happens only if Redis lost data."""
    _log.error(
        "Redis has lost data, and with them %d cameras; `maskwatch restore FILE` brings back "
        "what a backup has",
        cameras,
    )


@dataclass(frozen=True)
class IngestStores:
    """The stores that the service reads from and writes to."""

    cameras: CameraRegistry
    """The registry with a vault, so that addresses are decrypted."""
    statuses: StatusStore
    webcams: WebcamStore


class IngestService:
    """One member of the ingest role."""

    def __init__(
        self,
        stores: IngestStores,
        ownership: Ownership,
        fleet: Fleet,
        outage: Outage,
        storage: StorageWatch,
        stop: threading.Event,
    ) -> None:
        self._registry = stores.cameras
        self._statuses = stores.statuses
        self._webcams = stores.webcams
        self._ownership = ownership
        self._fleet = fleet
        self._outage = outage
        self._storage = storage
        self._stop = stop
        self._cameras: dict[str, Camera] = {}
        self._revision = -1
        self._step_at_s = 0.0
        self._unlock_at_s = 0.0
        self._webcams_at_s = 0.0

    def run(self) -> None:
        """Run until told to stop; then end all readers and release all leases."""
        prepare_fork_server()
        try:
            self._outage.wait_for_server()
            _log.info("ingest %s is ready", self._ownership.member)
            while not self._stop.is_set():
                self._guarded_turn()
                self._stop.wait(TICK_S)
        finally:
            self._shut_down()

    def _guarded_turn(self) -> None:
        try:
            self._turn()
            self._outage.over()
        except StoreError as error:
            # Readers continue during the outage, and count the frames that they cannot publish.
            self._fleet.watch()
            self._step_at_s = 0.0
            self._outage.report(error)
        except Exception:
            _log.exception("unexpected error; continuing")
            self._stop.wait(1.0)

    def _turn(self) -> None:
        removed = self._read_cameras()
        if removed is not None or time.monotonic() >= self._step_at_s:
            self._share_cameras()
        self._clear_away(removed or set())
        self._end_silent_webcams()
        for lease, status in self._fleet.watch().items():
            try:
                self._statuses.write(lease, status)
            except LeaseLostError:
                extra = about(camera_id=lease.camera_id)
                _log.debug("camera %s has another owner by now", lease.camera_id, extra=extra)

    def _read_cameras(self) -> set[str] | None:
        """Read the registry if it changed, and return the removed cameras; None if it did not."""
        revision = self._registry.revision()
        if revision == self._revision and not self._may_be_unlocked():
            return None
        try:
            cameras = {camera.id: camera for camera in self._registry.all()}
        except MessageError as error:
            # Known cameras continue; the next change triggers another attempt.
            _log.error("%s; remove that camera, or upgrade ingest", error)
            cameras = self._cameras
        removed = self._cameras.keys() - cameras.keys()
        if revision < self._revision:
            _say_what_is_lost(len(removed))
        self._cameras, self._revision = cameras, revision
        return removed & self._fleet.running().keys()

    def _may_be_unlocked(self) -> bool:
        """Return whether to try again to unlock cameras: their key may be present now."""
        now_s = time.monotonic()
        if now_s < self._unlock_at_s or not any(c.locked for c in self._cameras.values()):
            return False
        self._unlock_at_s = now_s + UNLOCK_EVERY_S
        return True

    def _share_cameras(self) -> None:
        # The dashboard reads a browser's webcam.
        enabled = [c.id for c in self._cameras.values() if c.enabled and not c.owner]
        details = to_json({"pid": os.getpid(), "cameras": len(self._ownership.held())})
        leases = self._ownership.step(enabled, details)
        self._storage.look()
        self._fleet.reconcile(self._cameras, leases)
        self._step_at_s = time.monotonic() + self._ownership.interval_s

    def _end_silent_webcams(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._webcams_at_s and any(c.owner for c in self._cameras.values()):
            self._webcams_at_s = now_s + WEBCAMS_EVERY_S
            self._webcams.end_silent()

    def _clear_away(self, removed: set[str]) -> None:
        """Delete the records that a removed camera's reader wrote after the removal."""
        for camera_id in removed:
            self._registry.clear_away(camera_id)

    def _shut_down(self) -> None:
        self._fleet.stop_all()
        # A Redis that hangs must not keep this process alive: leases expire by themselves.
        farewell = threading.Thread(target=self._leave, daemon=True)
        farewell.start()
        farewell.join(FAREWELL_S)
        _log.info("ingest %s ended", self._ownership.member)

    def _leave(self) -> None:
        try:
            self._ownership.leave()
        except StoreError as error:
            _log.debug("leaving without a word: %s", error)
