"""Looks at one person's face, gathered over frames until they are a verdict.

Two questions are kept apart. How is the mask worn *now*? The chances of the moment answer, with
hysteresis, so that the label in the picture neither flickers nor lags. How was it worn for *most of
the time that could be judged*? The seconds for which each answer probably held do, weighted by how
good the view was (`worker.verdicts.belief`): that is what a person counts as, and who puts a mask
on at the exit does not count as masked. A change between two well-founded answers is kept as an
event; one after a poor look was an error corrected, not a change.
"""

from __future__ import annotations

import math
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from msgspec import Meta, field
from msgspec.structs import replace

from contract.people.verdicts import JUDGED_VERDICTS, Verdict
from worker.saved_state import MOST_EVENTS, Amount, FrozenRecord, Moment
from worker.verdicts.belief import Belief

GIVEN_CONFIDENCE: Final = 0.7
"""Least chance at which a verdict of now is given."""
KEPT_CONFIDENCE: Final = 0.5
"""Least chance at which it is kept."""
SETTLED_CONFIDENCE: Final = 0.99
"""From this chance on, more looks would hardly change the verdict of now ..."""
SETTLED_S: Final = 0.3
"""... once it rests on so many good seconds: one look in thirty is wrong, however sure."""
SUPPORT_OFFSET: Final = 2.2
SUPPORT_SLOPE: Final = 0.8
"""Log-odds that a person's verdict is right are the first plus the second times those of its
support (placed on 78 people of 19 clips so that 2 % of the verdicts from 0.9 on are wrong at most;
ADR 0056)."""
LEAST_SUPPORT: Final = 0.005
"""Support is taken to lie this far from 0 and 1 at least."""
FOUNDED_S: Final = 0.6
"""An answer that held for so many good seconds was true: what replaces it is a change."""
MOST_CHANGES: Final = 8
"""Events kept of one person, the newest; more is a mask that is being eaten under."""


class Change(FrozenRecord, frozen=True):
    """Somebody put a mask on, took it off or moved it, in view."""

    at_s: Moment
    before: Verdict
    after: Verdict


class Votes(FrozenRecord, frozen=True):
    """What is known of one person's mask. Times are the camera's, in seconds."""

    belief: Belief = field(default_factory=Belief)
    now: Verdict = "unknown"
    """How the mask is worn now."""
    looked_at_s: Moment = 0.0
    """When the face was last classified; 0 before the first time."""
    now_held_s: Amount = 0.0
    """Good seconds for which `now` has held without a break."""
    now_since_s: Moment = 0.0
    founded: Verdict = "unknown"
    """The last verdict that held for `FOUNDED_S`."""
    changes: Annotated[tuple[Change, ...], Meta(max_length=MOST_EVENTS)] = ()

    @property
    def confidence(self) -> float:
        """Chance that `now` is right, 0 to 1; 0 while unknown."""
        if self.now == "unknown":
            return 0.0
        return self.belief.chances[JUDGED_VERDICTS.index(self.now)]

    @property
    def judged_s(self) -> float:
        """Good seconds seen."""
        return self.belief.seen_s

    @property
    def settled(self) -> bool:
        """Whether more frames would hardly change `now`."""
        return self.confidence >= SETTLED_CONFIDENCE and self.judged_s >= SETTLED_S

    @property
    def final(self) -> tuple[Verdict, float]:
        """How the mask was worn for most of the judged time, and how likely that is right."""
        verdict, support = self.supported
        return verdict, 0.0 if verdict == "unknown" else confidence_of(support)

    @property
    def supported(self) -> tuple[Verdict, float]:
        """The likeliest verdict of the judged time, and its support.

        Support is the verdict's part of that time, times the mean probability that the looks gave
        to what is now believed of it.
        """
        seconds = self.belief.seconds
        best = max(range(len(seconds)), key=seconds.__getitem__)
        if seconds[best] <= 0:
            return "unknown", 0.0
        return JUDGED_VERDICTS[best], self.belief.agreement * seconds[best] / sum(seconds)

    def add(self, probabilities: npt.NDArray[np.float32], weight: float, time_s: float) -> Votes:
        """Return the votes with one more classification, `(3,)` in `JUDGED_VERDICTS` order.

        `weight` says how good the view was, 0 to 1 (see `worker.verdicts.evidence`).
        """
        time_s = round(time_s, 3)
        after_s = max(time_s - self.looked_at_s, 0.0) if self.looked_at_s > 0 else None
        belief = self.belief.look([float(part) for part in probabilities], weight, after_s)
        held_s = round(max(0.0, belief.seen_s - self.belief.seen_s), 4)
        now = self._decided(belief)
        if now == self.now:
            held_s += self.now_held_s
        voted = replace(
            self,
            belief=belief,
            now=now,
            looked_at_s=time_s,
            now_held_s=round(held_s, 4),
            now_since_s=self.now_since_s if now == self.now else time_s,
        )
        return voted._founded()

    def _founded(self) -> Votes:
        if self.now in ("unknown", self.founded) or self.now_held_s < FOUNDED_S:
            return self
        votes = replace(self, founded=self.now)
        if self.founded == "unknown":
            return votes
        change = Change(self.now_since_s, self.founded, self.now)
        return replace(votes, changes=(*self.changes, change)[-MOST_CHANGES:])

    def _decided(self, belief: Belief) -> Verdict:
        best = max(range(len(belief.chances)), key=belief.chances.__getitem__)
        if belief.chances[best] >= GIVEN_CONFIDENCE:
            return JUDGED_VERDICTS[best]
        if self.now != "unknown":
            kept = belief.chances[JUDGED_VERDICTS.index(self.now)] >= KEPT_CONFIDENCE
            return self.now if kept else "unknown"
        return "unknown"


def confidence_of(support: float) -> float:
    """How many of the people whose verdicts have this support are judged rightly, 0 to 1."""
    support = min(max(support, LEAST_SUPPORT), 1.0 - LEAST_SUPPORT)
    odds = SUPPORT_OFFSET + SUPPORT_SLOPE * math.log(support / (1.0 - support))
    return 1.0 / (1.0 + math.exp(-odds))
