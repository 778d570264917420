"""The frames of one camera between Redis' stream and a commit."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from contract.people.minutes import DROPPED, MinuteIncrements
from contract.people.totals import Increments, dropped_field
from contract.pictures.frames import FrameMessage


@dataclass
class Backlog:
    """One camera's frames that wait, and those that were dropped but not yet committed."""

    sequence: int = 0
    """The newest frame committed, or dropped since."""
    cursor: bytes = b"0"
    """Stream id of the newest entry read."""
    waiting: deque[FrameMessage] = field(default_factory=deque)
    refused_after: deque[int] = field(default_factory=deque)
    """The newest frame before each entry that was not a frame and is not counted yet."""
    drops: Increments = field(default_factory=Increments)
    dropped: int = 0
    """Frames in `drops` that are part of the sequence."""
    heard_at_s: float = 0.0
    """Seconds since the epoch when a frame was last read."""
    catch_up_to_s: float = 0.0
    """Frames captured before this time are analysed even when they are late. Nobody analysed them
    while the camera had no owner, and the people in them are to be counted."""
    minutes: MinuteIncrements = field(default_factory=MinuteIncrements)
    """What the next outcome adds to the camera's minutes. Anything may add to it."""

    @property
    def newest(self) -> int:
        """The newest frame committed, dropped or waiting."""
        return self.waiting[-1].sequence if self.waiting else self.sequence

    def accept(self, message: FrameMessage) -> bool:
        """Queue a frame and return True; return False if a newer one was read before.

        Such a frame was committed, or counts as overflowed. It must not be counted again.
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

    def refuse(self) -> None:
        """Count an entry that should have been a frame, in the place where it was found."""
        self.refused_after.append(self.newest)

    def take_drops(self, sequence: int) -> tuple[Increments, int]:
        """Hand over the drops since the last outcome, for the outcome of frame `sequence`."""
        while self.refused_after and self.refused_after[0] < sequence:
            self.refused_after.popleft()
            self.drops.add(dropped_field("malformed"))
            self.dropped += 1
        taken = self.drops, self.dropped
        self.drops, self.dropped = Increments(), 0
        return taken

    def take_minutes(self) -> MinuteIncrements:
        """Hand over what the minutes get with the next outcome."""
        taken, self.minutes = self.minutes, MinuteIncrements()
        return taken
