"""What a worker keeps of one camera between frames."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from contract.cameras import Camera
from contract.frames import FrameMessage
from contract.leases import Lease
from contract.totals import Increments, dropped_field
from worker.tracking import Tracker


@dataclass
class OwnedCamera:
    """One owned camera: read so far, waiting, dropped but not yet committed, and its tracks.

    All of it can be read back from Redis as of the last commit, and is, whenever a commit fails.
    """

    camera: Camera
    lease: Lease
    sequence: int
    """The newest frame committed, or dropped since."""
    tracker: Tracker
    cursor: bytes = b"0"
    """Stream id of the newest entry read."""
    waiting: deque[FrameMessage] = field(default_factory=deque)
    drops: Increments = field(default_factory=Increments)
    dropped: int = 0
    """Frames in `drops` that are part of the sequence."""
    heard_at_s: float = 0.0
    """Seconds since the epoch when a frame was last read."""

    def accept(self, message: FrameMessage) -> None:
        """Queue a frame unless it was committed before."""
        newest = self.waiting[-1].sequence if self.waiting else self.sequence
        if message.sequence > newest:
            self.waiting.append(message)

    def drop(self, message: FrameMessage, cause: str) -> None:
        """Count a frame as not analysed; it is committed with the next outcome."""
        self.drops.add(dropped_field(cause))
        self.dropped += 1
        self.sequence = max(self.sequence, message.sequence)

    def take_drops(self) -> tuple[Increments, int]:
        """Hand over what was dropped since the last outcome."""
        taken = self.drops, self.dropped
        self.drops, self.dropped = Increments(), 0
        return taken
