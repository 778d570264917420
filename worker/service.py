"""The worker's loop: read, analyse, commit, for the cameras it owns."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cv2

from bus.bus import Bus
from bus.clock import SharedClock
from bus.connection.client import Outage
from bus.errors import StoreError
from bus.members import member_name
from bus.stores.history import HistoryStore
from bus.stores.inference import InferenceStore
from bus.stores.outcomes import OutcomeStore
from bus.stores.watchers import WatcherStore
from contract.cameras.camera import Camera
from contract.errors import LeaseLostError, MessageError, NotNewerError
from contract.people.minutes import HISTORY_DAYS
from contract.people.outcomes import Outcome
from contract.people.totals import WORKERS_BUSY
from runtime.logs import about
from runtime.memory import keep_freed_memory
from runtime.settings import Settings
from runtime.stopping import stop_on_signals
from runtime.tracing import OFF, Tracing, start_tracing
from worker.analysis import Analyser
from worker.camera import OwnedCamera
from worker.condition.condition import CameraCondition
from worker.intake import Intake
from worker.networks import Networks, load_networks
from worker.ownership import OwnershipThread
from worker.tracking.tracker import LOST_AFTER_S, Tracker

QUIET_AFTER_S: Final = LOST_AFTER_S + 1.0
"""A camera that sends no frame for this long has nobody in view any more."""
BOOKKEEPING_S: Final = 0.5
CATCHING_UP_S: Final = 3.0
"""A new owner analyses frames that come within this time of the takeover even when they are late,
because they wait behind its predecessor's. An idle machine needs 0.3 s for those; one that is
busy restarting the dead worker needs most of this time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerStores:
    """The stores that the loop writes to and reads from."""

    outcomes: OutcomeStore
    history: HistoryStore
    inference: InferenceStore
    watchers: WatcherStore


class Worker:
    """Analyses the frames of the cameras it owns until `stop` is set."""

    def __init__(
        self,
        stores: WorkerStores,
        networks: Networks,
        intake: Intake,
        ownership: OwnershipThread,
        outage: Outage,
        stop: threading.Event,
        clock: Callable[[], float] = time.time,
        tracing: Tracing = OFF,
    ) -> None:
        self._networks = networks
        self._intake = intake
        self._analyser = Analyser(networks, clock, tracing=tracing)
        self._tracing = tracing
        self._ownership = ownership
        self._store = stores.outcomes
        self._history = stores.history
        self._inference = stores.inference
        self._watchers = stores.watchers
        self._outage = outage
        self._stop = stop
        self._clock = clock
        self._owned: dict[str, OwnedCamera] = {}
        self._watched: Mapping[str, int] = {}
        self._kept_books_at_s = 0.0

    def run(self) -> None:
        """Loop until stopped. After an outage, go on from what Redis holds."""
        while not self._stop.is_set():
            try:
                self.step()
                self._outage.over()
            except StoreError as error:
                # Redis may or may not have carried out what we sent: start from its state again.
                self._owned.clear()
                self._outage.report(error)

    def step(self) -> None:
        """Analyse one batch, if frames have come."""
        began_s = time.perf_counter()
        self._follow_ownership()
        batch = self._intake.next_batch(list(self._owned.values()))
        self._keep_books()
        for owned, outcome in self._analyser.analyse(batch, self._watched):
            self._commit(owned, outcome)
        for owned in list(self._owned.values()):
            if owned.dropped:
                self._commit(owned, self._analyser.only_drops(owned))
        busy_s = time.perf_counter() - began_s - self._intake.take_waited_s()
        self._networks.totals.add(WORKERS_BUSY, max(0.0, busy_s))

    def _follow_ownership(self) -> None:
        now = self._ownership.owned()
        for camera_id in self._owned.keys() - now.keys():
            del self._owned[camera_id]
        for camera_id, (camera, lease) in now.items():
            owned = self._owned.get(camera_id)
            if owned is None or owned.lease != lease:
                committed, now_s = self._store.resume(camera_id), self._clock()
                self._owned[camera_id] = OwnedCamera(
                    camera,
                    lease,
                    committed.sequence,
                    self._resume_tracker(camera, committed.tracker_state),
                    heard_at_s=now_s,
                    catch_up_to_s=now_s + CATCHING_UP_S if committed.sequence else 0.0,
                    analysed_at_s=committed.analysed_at_s,
                    condition=self._resume_condition(camera, committed.condition_state),
                )
            else:
                owned.camera = camera

    @staticmethod
    def _resume_tracker(camera: Camera, state: str) -> Tracker:
        try:
            return Tracker.decode(state)
        except MessageError as error:
            extra = about(camera=camera.name, camera_id=camera.id, event="people_in_view_lost")
            _log.error("the people in view of %s are lost: %s", camera.name, error, extra=extra)
            return Tracker()

    @staticmethod
    def _resume_condition(camera: Camera, state: str) -> CameraCondition:
        try:
            return CameraCondition.decode(state)
        except MessageError as error:
            extra = about(camera=camera.name, camera_id=camera.id, event="condition_lost")
            words = "what was learnt of %s's picture is lost: %s"
            _log.error(words, camera.name, error, extra=extra)
            return CameraCondition()

    def _commit(self, owned: OwnedCamera, outcome: Outcome) -> None:
        try:
            with self._tracing.span([outcome.trace], "commit", frame=outcome.sequence):
                overflowed = self._store.commit(owned.lease, outcome)
        except (LeaseLostError, NotNewerError) as refusal:
            extra = _about(owned, outcome, "commit_refused")
            _log.warning("commit refused: %s", refusal, extra=extra)
            self._owned.pop(owned.camera.id, None)
            return
        if overflowed > 0:
            extra = _about(owned, outcome, "frames_overflowed")
            words = "%d frames of %s came and went unread"
            _log.debug(words, overflowed, owned.camera.name, extra=extra)

    def _keep_books(self) -> None:
        now_s = self._clock()
        if now_s - self._kept_books_at_s < BOOKKEEPING_S:
            return
        self._kept_books_at_s = now_s
        self._flush_quiet_cameras(now_s)
        self._pack_minutes()
        self._store_inference_totals()
        self._watched = self._watchers.widths(list(self._owned))

    def _pack_minutes(self) -> None:
        """Pack the minutes of the first camera that has many; the others wait their turn."""
        for owned in self._owned.values():
            try:
                if self._history.pack_if_grown(owned.lease):
                    return
            except LeaseLostError:
                continue  # the next commit finds out

    def _store_inference_totals(self) -> None:
        amounts = dict(self._networks.totals.items())
        # Cleared first: when the answer is lost, we would rather lose half a second of timings
        # than add it twice.
        self._networks.totals.clear()
        self._inference.add(amounts)

    def _flush_quiet_cameras(self, now_s: float) -> None:
        for owned in list(self._owned.values()):
            quiet = now_s - owned.heard_at_s > QUIET_AFTER_S
            if quiet and (owned.tracker.tracks or owned.drops):
                self._commit(owned, self._analyser.flush(owned))


def _about(owned: OwnedCamera, outcome: Outcome, event: str) -> dict[str, Any]:
    camera = owned.camera
    return about(camera=camera.name, camera_id=camera.id, frame=outcome.sequence, event=event)


def make_ownership(
    bus: Bus,
    member: str,
    lease_s: float,
    devices: Mapping[str, str],
    clock: SharedClock | None = None,
) -> OwnershipThread:
    """Return the thread that takes `member`'s share of the cameras, not yet started."""
    ownership = bus.ownership("worker", member, lease_s, clock=clock)
    return OwnershipThread(bus.roster, ownership, bus.outage, devices)


def make_worker(
    bus: Bus,
    networks: Networks,
    ownership: OwnershipThread,
    stop: threading.Event,
    *,
    staleness_budget_s: float,
    max_batch: int,
    history_days: int = HISTORY_DAYS,
    clock: Callable[[], float] = time.time,
    tracing: Tracing = OFF,
) -> Worker:
    """Return a worker that reads from and writes to the Redis of `bus`."""
    stores = WorkerStores(
        bus.outcomes(history_days, clock), bus.history(history_days), bus.inference, bus.watchers
    )
    intake = Intake(bus.frame_reader(), staleness_budget_s, max_batch, clock, tracing)
    outage = bus.outage(stop)
    return Worker(stores, networks, intake, ownership, outage, stop, clock, tracing)


def run(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT.

    Raises:
        SettingsError: there is no Redis to connect to, or the device asked for is missing.
        ModelError: a network cannot be used.
    """
    stop = threading.Event()
    stop_on_signals(stop)
    bus = Bus.open(settings, "maskwatch-worker")
    keep_freed_memory()
    threads = settings.inference_threads or os.cpu_count() or 1
    cv2.setNumThreads(threads)
    networks = load_networks(settings)
    for network, device in networks.devices().items():
        _log.info("%s runs on %s", network, device)
    clock = SharedClock()
    tracing = start_tracing("worker", settings, clock)
    if not bus.wait_for_server(stop):
        return
    ownership = make_ownership(bus, member_name(), settings.lease_s, networks.devices(), clock)
    worker = make_worker(
        bus,
        networks,
        ownership,
        stop,
        staleness_budget_s=settings.staleness_budget_s,
        max_batch=settings.max_batch,
        history_days=settings.history_days,
        clock=clock,
        tracing=tracing,
    )
    ownership.start()
    try:
        worker.run()
    finally:
        ownership.stop()
