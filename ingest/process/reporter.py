"""Writes one camera's frames, counts and state to Redis, and survives outages."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from bus.clock import KeptClock
from bus.connection.client import Outage
from bus.errors import StoreError
from bus.members.leases import Lease
from bus.stores.frames import FramePublisher
from bus.stores.status import StatusStore
from contract.cameras.status import CameraStatus
from contract.errors import LeaseLostError
from ingest.process.connection_state import ConnectionState
from ingest.process.following import Follower
from ingest.process.outbox import Outbox, SampledFrame, Skipped

FLUSH_S: Final = 1.0
TAKE_S: Final = 0.1
REST_S: Final = 0.25
_log = logging.getLogger(__name__)


class Reporter:
    """The only writer for its camera while its lease is valid."""

    def __init__(
        self,
        publisher: FramePublisher,
        statuses: StatusStore,
        clock: KeptClock,
        outage: Outage,
        outbox: Outbox,
        state: ConnectionState,
        follower: Follower | None = None,
    ) -> None:
        """`follower`: set if frames wait for the workers. Each step adjusts the `clock`."""
        self._publisher = publisher
        self._statuses = statuses
        self._clock = clock
        self._outage = outage
        self._outbox = outbox
        self._state = state
        self._follower = follower
        self._written: CameraStatus | None = None
        self._flush_at_s = 0.0
        self._captured: float | None = None
        self._in_doubt: tuple[float, Skipped, int] | None = None
        self.lease_lost_s: float | None = None
        """Monotonic time at which the lease was found lost; None while it is valid."""

    def renew(self, lease: Lease) -> None:
        """Write on behalf of `lease` from now on."""
        self._publisher.lease = lease
        self._captured = None
        self._written = None
        self.lease_lost_s = None

    def step(self, stop: threading.Event) -> None:
        """Publish a waiting frame, and write the camera's status if it is due."""
        frame: SampledFrame | None = None
        if self.lease_lost_s is not None:
            if frame := self._outbox.take(TAKE_S):
                self._outbox.lose(frame)
            return
        try:
            # Do this before taking a frame: if it fails, frames stay in the outbox and are counted.
            self._settle()
            if self._follower is None or self._follower.wait_until_caught_up(stop):
                frame = self._outbox.take(TAKE_S)
            self._clock.keep()
            if frame:
                self._publish(frame)
                frame = None
            self._report()
        except StoreError as error:
            self._rest(error, frame, stop)
        except LeaseLostError:
            self._give_back_attempt()
            self.lease_lost_s = time.monotonic()

    def flush(self) -> None:
        """Write the last counts if Redis accepts them."""
        try:
            while frame := self._outbox.take(0.0):
                self._outbox.lose(frame)
            self._settle()
            self._count_skipped()
        except (StoreError, LeaseLostError) as error:
            camera_id = self._publisher.lease.camera_id
            _log.debug("the last counts of camera %s are lost: %s", camera_id, error)

    def _publish(self, frame: SampledFrame) -> None:
        captured = frame.skipped.captured + 1
        self._attempt(frame.skipped, 1)
        sequence = self._publisher.publish(
            frame.jpeg,
            frame.captured_at_s,
            self._clock(),
            captured,
            frame.skipped.drops(),
            frame.skipped.minutes(frame.captured_at_s),
            frame.trace,
        )
        self._succeeded()
        if self._follower:
            self._follower.published(sequence)

    def _report(self) -> None:
        status, now_s = self._state.status(), time.monotonic()
        before = self._written
        changed = before is None or (status.state, status.fault) != (before.state, before.fault)
        if changed or now_s >= self._flush_at_s:
            self._count_skipped()
            self._statuses.write(self._publisher.lease, status)
            self._written, self._flush_at_s = status, now_s + FLUSH_S

    def _count_skipped(self) -> None:
        self._know_captured()
        skipped = self._outbox.take_skipped()
        if skipped.captured:
            self._attempt(skipped, 0)
            self._publisher.count(skipped.all_counts(), skipped.minutes(self._clock()))
            self._succeeded()

    def _attempt(self, skipped: Skipped, frames: int) -> None:
        """Note a write before sending it, so that `_settle` can check whether it arrived."""
        self._in_doubt = (self._know_captured(), skipped, frames)

    def _succeeded(self) -> None:
        if self._in_doubt:
            before, skipped, frames = self._in_doubt
            self._captured = before + skipped.captured + frames
        self._in_doubt = None

    def _settle(self) -> None:
        """Check whether Redis carried out an interrupted write, so that nothing counts twice.

        The number of captured frames tells: only the owner of the lease adds to it.
        """
        if self._in_doubt is None:
            return
        before, skipped, frames = self._in_doubt
        self._captured = self._publisher.captured()
        if self._captured == before + skipped.captured + frames:
            self._in_doubt = None
        else:
            self._give_back_attempt()

    def _give_back_attempt(self) -> None:
        """Return the counts of the last write to the outbox: Redis did not carry it out."""
        if self._in_doubt:
            _, skipped, frames = self._in_doubt
            self._outbox.give_back(Skipped(skipped.not_sampled, skipped.unpublished + frames))
        self._in_doubt = None

    def _know_captured(self) -> float:
        """Return the frames counted before the next write.

        Call it before taking a frame from the outbox: if Redis failed, that frame would be lost.
        """
        if self._captured is None:
            self._captured = self._publisher.captured()
        return self._captured

    def replaced(self) -> bool:
        """Return whether another process reads the camera; False during an outage of Redis."""
        try:
            return self._publisher.replaced()
        except StoreError:
            return False

    def _rest(self, error: StoreError, frame: SampledFrame | None, stop: threading.Event) -> None:
        # The service logs the outage; a line from every camera would hide it.
        _log.debug("%s", self._outage.face(error))
        if self._in_doubt is None:
            self._captured = None
            if frame:
                self._outbox.lose(frame)
        self._written = None
        stop.wait(REST_S)
