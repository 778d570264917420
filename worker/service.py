"""The worker's loop: read, analyse, commit, for the cameras it owns."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import cv2
from redis import Redis
from redis.exceptions import RedisError

from bus import keys
from bus.clock import SharedClock
from bus.connection.client import Outage, connect, wait_for_server
from bus.keys import CameraKeys
from bus.stores.history import HistoryStore
from bus.stores.outcomes import OutcomeStore
from contract.cameras.camera import Camera
from contract.errors import LeaseLostError, MessageError, NotNewerError
from contract.people.minutes import HISTORY_DAYS
from contract.people.outcomes import Outcome
from contract.people.totals import WORKERS_BUSY
from contract.pictures.views import LARGE_VIEW_WIDTH, SMALL_VIEW_WIDTH
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
"""With no frame for this long, the people last seen are gone."""
BOOKKEEPING_S: Final = 0.5
CATCHING_UP_S: Final = 3.0
"""What comes within this time of a takeover may wait for a predecessor's frames: 0.3 s of it
are enough on an idle machine, most of it on one that is busy starting the dead worker anew."""

_log = logging.getLogger(__name__)


class Worker:
    """Analyses the frames of the cameras it owns until `stop` is set."""

    def __init__(
        self,
        redis: Redis,
        networks: Networks,
        intake: Intake,
        ownership: OwnershipThread,
        stop: threading.Event,
        clock: Callable[[], float] = time.time,
        history_days: int = HISTORY_DAYS,
        tracing: Tracing = OFF,
    ) -> None:
        self._redis = redis
        self._networks = networks
        self._intake = intake
        self._analyser = Analyser(networks, clock, tracing=tracing)
        self._tracing = tracing
        self._ownership = ownership
        self._store = OutcomeStore(redis, history_days, clock)
        self._history = HistoryStore(redis, history_days)
        self._outage = Outage(redis, stop)
        self._stop = stop
        self._clock = clock
        self._owned: dict[str, OwnedCamera] = {}
        self._watched: Mapping[str, int] = {}
        self._kept_books_at_s = 0.0

    def run(self) -> None:
        """Loop until stopped. A Redis that is away is waited for, then asked for the truth."""
        while not self._stop.is_set():
            try:
                self.step()
                self._outage.over()
            except RedisError as error:
                # What was sent may or may not have been carried out: start from Redis again.
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
        self._watched = self._ask_who_is_watched(list(self._owned))

    def _pack_minutes(self) -> None:
        """Pack one camera's minutes if there are many: the cameras take turns."""
        for owned in self._owned.values():
            try:
                if self._history.pack_if_grown(owned.lease):
                    return
            except LeaseLostError:
                continue  # the next commit finds out

    def _store_inference_totals(self) -> None:
        with self._redis.pipeline(transaction=True) as pipeline:
            for field, amount in self._networks.totals.items():
                pipeline.hincrbyfloat(keys.INFERENCE, field, amount)
            # Where the answer gets lost, half a second of timings is rather lost than added twice.
            self._networks.totals.clear()
            pipeline.execute()

    def _ask_who_is_watched(self, camera_ids: list[str]) -> Mapping[str, int]:
        """The cameras that somebody looks at, and the width they are looked at in."""
        with self._redis.pipeline(transaction=False) as pipeline:
            for camera_id in camera_ids:
                pipeline.exists(CameraKeys(camera_id).watched)
                pipeline.exists(CameraKeys(camera_id).watched_large)
            flags = pipeline.execute()
        widths = (
            LARGE_VIEW_WIDTH if large else SMALL_VIEW_WIDTH if some else 0
            for some, large in zip(flags[::2], flags[1::2], strict=True)
        )
        return {one: width for one, width in zip(camera_ids, widths, strict=True) if width}

    def _flush_quiet_cameras(self, now_s: float) -> None:
        for owned in list(self._owned.values()):
            quiet = now_s - owned.heard_at_s > QUIET_AFTER_S
            if quiet and (owned.tracker.tracks or owned.drops):
                self._commit(owned, self._analyser.flush(owned))


def _about(owned: OwnedCamera, outcome: Outcome, event: str) -> dict[str, Any]:
    camera = owned.camera
    return about(camera=camera.name, camera_id=camera.id, frame=outcome.sequence, event=event)


def run(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT.

    Raises:
        SettingsError: there is no Redis to connect to, or the device asked for is missing.
        ModelError: a network cannot be used.
    """
    stop = threading.Event()
    stop_on_signals(stop)
    redis = connect(settings.require_redis_url(), "maskwatch-worker")
    keep_freed_memory()
    threads = settings.inference_threads or os.cpu_count() or 1
    cv2.setNumThreads(threads)
    networks = load_networks(settings)
    for network, device in networks.devices().items():
        _log.info("%s runs on %s", network, device)
    clock = SharedClock()
    tracing = start_tracing("worker", settings, clock)
    if not wait_for_server(redis, stop):
        return
    member = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    ownership = OwnershipThread(redis, member, settings.lease_s, networks.devices(), clock)
    budget_s, most, days = settings.staleness_budget_s, settings.max_batch, settings.history_days
    intake = Intake(redis, budget_s, most, clock, tracing)
    worker = Worker(redis, networks, intake, ownership, stop, clock, days, tracing)
    ownership.start()
    try:
        worker.run()
    finally:
        ownership.stop()
