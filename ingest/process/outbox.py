"""Passes frames from the decoding thread to the thread that writes to Redis, and counts them.

Every captured frame counts exactly once: as published, `not_sampled` or `unpublished`.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from contract.people.minutes import DROPPED, MinuteIncrements
from contract.people.totals import Increments, dropped_field, frames_field
from contract.traces import Trace

CAPACITY: Final = 3
"""Most frames that wait while Redis is slow: older frames would be stale before a worker reads
them."""


@dataclass
class Skipped:
    """Captured frames that will not be published, by cause."""

    not_sampled: int = 0
    unpublished: int = 0

    @property
    def captured(self) -> int:
        return self.not_sampled + self.unpublished

    def absorb(self, other: Skipped) -> None:
        """Add the counts of `other`."""
        self.not_sampled += other.not_sampled
        self.unpublished += other.unpublished

    def drops(self) -> Increments:
        """Return the counters by cause."""
        counts = Increments()
        counts.add(dropped_field("not_sampled"), self.not_sampled)
        counts.add(dropped_field("unpublished"), self.unpublished)
        return counts

    def minutes(self, time_s: float) -> MinuteIncrements:
        """Return the counts for the camera's minute of `time_s`."""
        increments = MinuteIncrements()
        increments.add(time_s, DROPPED, self.unpublished)
        return increments

    def all_counts(self) -> Increments:
        """Return the counters of causes and captured frames, if no published frame carries them."""
        counts = self.drops()
        counts.add(frames_field("captured"), self.captured)
        return counts


@dataclass(frozen=True)
class SampledFrame:
    """A frame to publish, and the frames skipped since the previous one."""

    jpeg: bytes
    captured_at_s: float
    skipped: Skipped = field(default_factory=Skipped)
    trace: Trace = ""


class Outbox:
    """Keeps the newest sampled frames; displaced frames count as `unpublished`."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._frames: deque[SampledFrame] = deque()
        self._tail = Skipped()
        self._changed = threading.Condition()

    def skip(self) -> None:
        """Count a captured frame that was not sampled."""
        with self._changed:
            self._tail.not_sampled += 1

    def put(self, jpeg: bytes, captured_at_s: float, trace: Trace = "") -> None:
        """Hand over a sampled frame."""
        with self._changed:
            self._frames.append(SampledFrame(jpeg, captured_at_s, self._tail, trace))
            self._tail = Skipped()
            if len(self._frames) > self._capacity:
                self._give_up(self._frames.popleft())
            self._changed.notify()

    def wait_until_empty(self, timeout_s: float) -> bool:
        """Wait until the outbox is empty; return False if it is not after `timeout_s`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._frames, timeout_s)

    def take(self, timeout_s: float) -> SampledFrame | None:
        """Return the oldest frame; None if the outbox stays empty for `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._frames), timeout_s)
            if not self._frames:
                return None
            self._changed.notify_all()
            return self._frames.popleft()

    def take_skipped(self) -> Skipped:
        """Return the frames skipped since the last frame, unless a waiting frame carries them."""
        with self._changed:
            if self._frames:
                return Skipped()
            skipped, self._tail = self._tail, Skipped()
            return skipped

    def lose(self, frame: SampledFrame) -> None:
        """Count a frame that was taken but could not be published."""
        with self._changed:
            self._give_up(frame)

    def give_back(self, skipped: Skipped) -> None:
        """Return counts that could not be written; the next frame or flush carries them."""
        with self._changed:
            (self._frames[0].skipped if self._frames else self._tail).absorb(skipped)

    def _give_up(self, frame: SampledFrame) -> None:
        heir = self._frames[0].skipped if self._frames else self._tail
        heir.absorb(frame.skipped)
        heir.unpublished += 1
