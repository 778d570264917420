"""Which faces are worth classifying now: new people first, settled ones rarely.

Cost follows new people, not faces in view. Nobody starves: whoever waits becomes more urgent, by
the multiple of their turn that they have waited, until they are the most urgent of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from worker.tracking.track import Track

UNDECIDED_EVERY_S: Final = 0.15
"""A face without a verdict is looked at this often at first ..."""
UNSETTLED_EVERY_S: Final = 0.6
"""... one with a verdict that is not settled this often at first ..."""
PATIENCE: Final = 0.05
"""... and both later after this part of the time for which they have been in view: who could not be
judged in twenty looks needs another view, not another look."""
SETTLED_EVERY_S: Final = 3.0
"""A settled face is looked at this often, in case a mask went on or off."""
NEW_URGENCY: Final = 4.0
"""A face never looked at comes before one that has waited for fewer of its turns than this."""


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
    # A frame may come a little early for a turn; waiting for the next would double it.
    return (time_s - votes.looked_at_s) / turn_s + 0.01
