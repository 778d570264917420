"""What a worker keeps of one camera between frames."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from bus.leases import Lease
from contract.cameras.camera import Camera
from contract.people.minutes import ANALYSED_MS, DROPPED, FACES, FRAMES, MinuteIncrements
from contract.people.totals import Increments, dropped_field
from contract.pictures.frames import FrameMessage
from worker.condition.condition import CameraCondition
from worker.tracking.tracker import Tracker

LONGEST_STEP_S: Final = 1.0
"""Two analysed frames this far apart, or one and a half periods of the camera's rate where that
is longer, cover the time between them: nobody walks by in it. A longer gap is time not analysed,
all of it."""


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
    refused_after: deque[int] = field(default_factory=deque)
    """For each entry that was no frame and is not counted yet, the newest frame before it."""
    drops: Increments = field(default_factory=Increments)
    dropped: int = 0
    """Frames in `drops` that are part of the sequence."""
    heard_at_s: float = 0.0
    """Seconds since the epoch when a frame was last read."""
    catch_up_to_s: float = 0.0
    """Frames captured before this are analysed even when they are late: nobody analysed them
    while the camera had no owner, and the people in them are to be counted."""
    analysed_at_s: float | None = None
    """When the newest analysed frame was captured; None before the first."""
    minutes: MinuteIncrements = field(default_factory=MinuteIncrements)
    """What the next outcome adds to the camera's minutes. Anything may add to it."""
    condition: CameraCondition = field(default_factory=CameraCondition)

    @property
    def newest(self) -> int:
        """The newest frame committed, dropped or waiting."""
        return self.waiting[-1].sequence if self.waiting else self.sequence

    def accept(self, message: FrameMessage) -> bool:
        """Queue a frame and return True; False for one that a newer one has passed.

        Such a frame was committed before, or counts as overflowed: it is not counted again.
        """
        if message.sequence <= self.newest:
            return False
        self.waiting.append(message)
        return True

    def drop(self, message: FrameMessage, cause: str) -> None:
        """Count a frame as not analysed; it is committed with the next outcome."""
        self.drops.add(dropped_field(cause))
        self.minutes.add(message.captured_at_s, DROPPED)
        self.dropped += 1
        self.sequence = max(self.sequence, message.sequence)

    def note_analysed(self, captured_at_s: float, faces: int) -> None:
        """Count a frame with its faces, and the time since the one before as really analysed."""
        self.minutes.add(captured_at_s, FRAMES)
        self.minutes.add(captured_at_s, FACES, faces)
        before_s, self.analysed_at_s = self.analysed_at_s, captured_at_s
        longest_s = max(LONGEST_STEP_S, 1.5 / self.camera.analysis_fps)
        if before_s is not None and captured_at_s - before_s <= longest_s:
            self.minutes.add_span(before_s, captured_at_s, ANALYSED_MS)
            self.condition.count_invalid(before_s, captured_at_s, self.minutes)

    def take_minutes(self) -> MinuteIncrements:
        """Hand over what the minutes get since the last outcome."""
        taken, self.minutes = self.minutes, MinuteIncrements()
        return taken

    def refuse(self) -> None:
        """Count an entry that was to be a frame, in the place where it was found."""
        self.refused_after.append(self.newest)

    def take_drops(self, sequence: int) -> tuple[Increments, int]:
        """Hand over what was dropped since the last outcome, for the one of frame `sequence`."""
        while self.refused_after and self.refused_after[0] < sequence:
            self.refused_after.popleft()
            self.drops.add(dropped_field("malformed"))
            self.dropped += 1
        taken = self.drops, self.dropped
        self.drops, self.dropped = Increments(), 0
        return taken
