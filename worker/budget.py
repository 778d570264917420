"""Which faces are worth classifying now: new people first, settled ones rarely.

So cost follows new people, not faces in view. No face waits for ever: its urgency is the number of
turns that it has waited, so it becomes the most urgent one in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from worker.tracking.track import Track

UNDECIDED_EVERY_S: Final = 0.15
"""Seconds between looks at a face without a verdict, at first."""
UNSETTLED_EVERY_S: Final = 0.6
"""Seconds between looks at a face with a verdict that is not settled, at first."""
PATIENCE: Final = 0.05
"""Both intervals grow to this share of the time that a face has been in view. A face that twenty
looks could not judge needs another view, not another look."""
SETTLED_EVERY_S: Final = 3.0
"""Seconds between looks at a settled face, in case its mask was put on or taken off."""
NEW_URGENCY: Final = 4.0
"""Urgency of a face that was never looked at, in turns waited."""


@dataclass(frozen=True)
class Budget:
    """How often faces are classified, and how many at once."""

    faces_per_batch: int | None
    """Most faces classified in one batch of frames; None: all of them, in every frame."""

    def choose(self, urgencies: Sequence[float]) -> list[int]:
        """Return the indices of the faces to classify, the most urgent first.

        urgencies: as from `urgency`; a face is due at 1.
        """
        if self.faces_per_batch is None:
            return list(range(len(urgencies)))
        due = [index for index, urgent in enumerate(urgencies) if urgent >= 1.0]
        due.sort(key=lambda index: -urgencies[index])
        return due[: self.faces_per_batch]


def urgency(track: Track, time_s: float) -> float:
    """How many of its turns a face has waited at `time_s`."""
    votes = track.votes
    if votes.looked_at_s <= 0:
        return NEW_URGENCY + (time_s - track.first_seen_s) / SETTLED_EVERY_S
    if votes.settled:
        turn_s = SETTLED_EVERY_S
    else:
        seen_for_s = time_s - track.first_seen_s
        often_s = UNDECIDED_EVERY_S if votes.now == "unknown" else UNSETTLED_EVERY_S
        turn_s = min(max(often_s, PATIENCE * seen_for_s), SETTLED_EVERY_S)
    # A frame may come a little before its turn. Waiting for the next one would double the wait.
    return (time_s - votes.looked_at_s) / turn_s + 0.01
