"""The worker's loop: take, detect, track, classify, fold, commit, for the cameras it owns."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bus.connection.client import Outage
from bus.errors import StoreError
from bus.stores.audits import AuditStore
from bus.stores.history import HistoryStore
from bus.stores.inference import InferenceStore
from bus.stores.outcomes import OutcomeStore
from bus.stores.watchers import WatcherStore
from contract.errors import LeaseLostError, NotNewerError
from contract.people.outcomes import Outcome
from contract.people.people import LEAST_CONFIDENCE
from contract.people.totals import WORKERS_BUSY
from runtime.logs import about
from runtime.tracing import OFF, Tracing
from worker.intake import Intake
from worker.networks import Networks
from worker.ownership import OwnershipThread
from worker.pipeline import Pipeline
from worker.session import CameraSession
from worker.tracking.matching import LOST_AFTER_S

QUIET_AFTER_S: Final = LOST_AFTER_S + 1.0
"""When a camera has sent no frame for this long, the tracks of its people end."""
BOOKKEEPING_S: Final = 0.5

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerStores:
    """The stores that the loop writes to and reads from."""

    outcomes: OutcomeStore
    history: HistoryStore
    inference: InferenceStore
    watchers: WatcherStore
    audits: AuditStore


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
        least_confidence: float = LEAST_CONFIDENCE,
    ) -> None:
        self._totals = networks.totals
        self._intake = intake
        self._pipeline = Pipeline(networks, clock, tracing=tracing)
        self._tracing = tracing
        self._least_confidence = least_confidence
        self._ownership = ownership
        self._store = stores.outcomes
        self._history = stores.history
        self._inference = stores.inference
        self._watchers = stores.watchers
        self._audits = stores.audits
        self._outage = outage
        self._stop = stop
        self._clock = clock
        self._sessions: dict[str, CameraSession] = {}
        """One for each owned camera, by its id."""
        self._watched: Mapping[str, int] = {}
        self._kept_books_at_s = 0.0

    def run(self) -> None:
        """Loop until stopped. After an outage, go on from what Redis holds."""
        while not self._stop.is_set():
            try:
                self.step()
                self._outage.over()
            except StoreError as error:
                # Redis may or may not have executed the last command, so continue from its state.
                self._sessions.clear()
                self._outage.report(error)

    def step(self) -> None:
        """Take one batch, analyse it, and commit each frame's changes."""
        began_s = time.perf_counter()
        self._follow_ownership()
        taken = self._intake.next_batch(list(self._sessions.values()))
        self._keep_books()
        for session, outcome in self._pipeline.run(self._sessions, taken, self._watched):
            self._commit(session, outcome)
        self._commit_drops()
        busy_s = time.perf_counter() - began_s - self._intake.take_waited_s()
        self._totals.add(WORKERS_BUSY, max(0.0, busy_s))

    def _follow_ownership(self) -> None:
        """Begin a session for each camera gained; end those of cameras lost."""
        now = self._ownership.owned()
        for camera_id in self._sessions.keys() - now.keys():
            del self._sessions[camera_id]
        for camera_id, (camera, lease) in now.items():
            session = self._sessions.get(camera_id)
            if session is None or session.lease != lease:
                committed, now_s = self._store.resume(camera_id), self._clock()
                self._sessions[camera_id] = CameraSession.resume(
                    camera, lease, committed, now_s, self._least_confidence
                )
            else:
                session.follow_settings(camera)

    def _commit(self, session: CameraSession, outcome: Outcome) -> None:
        try:
            with self._tracing.span([outcome.trace], "commit", frame=outcome.sequence):
                overflowed = self._store.commit(session.lease, outcome)
        except (LeaseLostError, NotNewerError) as refusal:
            extra = about(session.camera, frame=outcome.sequence, event="commit_refused")
            _log.warning("commit refused: %s", refusal, extra=extra)
            self._sessions.pop(session.camera.id, None)
            return
        if session.audit and outcome.people:
            # After the commit: who was counted is drawn once at most, and never without counting.
            counted, drawn = session.audit.take(outcome.people)
            self._audits.add(session.audit.audit, session.camera.id, counted, drawn)
        if overflowed > 0:
            extra = about(session.camera, frame=outcome.sequence, event="frames_overflowed")
            words = "%d frames of %s came and went unread"
            _log.debug(words, overflowed, session.camera.name, extra=extra)

    def _commit_drops(self) -> None:
        """Commit the drops of cameras that had no frame in the batch."""
        for session in list(self._sessions.values()):
            if session.backlog.dropped:
                self._commit(session, session.fold_drops())

    def _keep_books(self) -> None:
        now_s = self._clock()
        if now_s - self._kept_books_at_s < BOOKKEEPING_S:
            return
        self._kept_books_at_s = now_s
        self._flush_quiet_cameras(now_s)
        self._pack_minutes()
        self._store_inference_totals()
        self._watched = self._watchers.widths(list(self._sessions))
        self._follow_audits(now_s)

    def _follow_audits(self, now_s: float) -> None:
        running = {
            camera_id: audit
            for audit in self._audits.running(now_s)
            for camera_id in audit.camera_ids
        }
        for camera_id, session in self._sessions.items():
            session.follow_audit(running.get(camera_id))

    def _flush_quiet_cameras(self, now_s: float) -> None:
        for session in list(self._sessions.values()):
            quiet = now_s - session.backlog.heard_at_s > QUIET_AFTER_S
            if quiet and (session.tracker.tracks or session.backlog.drops):
                self._commit(session, session.flush())

    def _pack_minutes(self) -> None:
        """Pack the minutes of the first camera that has many; the others wait their turn."""
        for session in self._sessions.values():
            try:
                if self._history.pack_if_grown(session.lease):
                    return
            except LeaseLostError:
                continue  # the next commit finds out

    def _store_inference_totals(self) -> None:
        amounts = dict(self._totals.items())
        # Cleared first, because losing half a second of timings is better than adding it twice.
        self._totals.clear()
        self._inference.add(amounts)
