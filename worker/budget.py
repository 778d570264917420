"""Which faces are worth classifying now: new people first, settled ones less often.

So cost follows new people, not faces in view. No face waits for ever: its urgency is the number of
turns that it has waited, so it becomes the most urgent one in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from worker.tracking.track import Track

UNSETTLED_EVERY_S: Final = 0.15
"""Seconds between looks at a face whose verdict is not settled, at first. With 0.1, a sixth more
looks led to the same verdicts (ADR 0056)."""
PATIENCE: Final = 0.05
"""That interval grows to this share of the time that a face has been in view. A face that twenty
looks could not judge needs another view, not another look."""
SETTLED_EVERY_S: Final = 0.5
"""Seconds between looks at a settled face, and the most between those at any other. So half a
second passes at most before a look shows that a mask was put on, or that a face turned to us."""
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
        patience_s = PATIENCE * (time_s - track.first_seen_s)
        turn_s = min(max(UNSETTLED_EVERY_S, patience_s), SETTLED_EVERY_S)
    # A frame may come a little before its turn. Waiting for the next one would double the wait.
    return (time_s - votes.looked_at_s) / turn_s + 0.01
