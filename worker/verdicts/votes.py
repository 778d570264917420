"""Evidence about one person's mask, gathered over frames until it is a verdict.

Two questions are kept apart. How is the mask worn *now*? Recent evidence answers, with hysteresis,
so that the label in the picture neither flickers nor lags. How was it worn for *most of the time
that could be judged*? The seconds for which each answer held do, weighted by how good the view
was: that is what a person counts as, and who puts a mask on at the exit does not count as masked.
A change between two well-founded answers is kept as an event; one after a poor look was an error
corrected, not a change. All of it is two dozen numbers, whatever the time in view.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from msgspec import Meta
from msgspec.structs import replace

from contract.people.verdicts import JUDGED_VERDICTS, Verdict
from worker.saved_state import MOST_EVENTS, Amount, FrozenRecord, Moment

LEAST_WEIGHT: Final = 0.1
"""Evidence below this is too thin for any verdict."""
MOST_WEIGHT: Final = 3.0
"""Evidence is remembered up to this weight, the oldest fades first: three good looks that say
otherwise change the answer, whatever was seen before."""
LEAST_CONFIDENCE: Final = 0.7
"""A verdict needs this mean probability to be given; below it, errors more than double (the
model card's clips: 8.3 % of the concourse's faces are wrong, 3.5 % of those above 0.7) ..."""
KEPT_CONFIDENCE: Final = 0.5
"""... and this to be kept ..."""
HYSTERESIS: Final = 0.08
"""... and another replaces it only when it leads by this much, so that labels do not flicker."""
SETTLED_WEIGHT: Final = 1.4
"""Two good looks: one alone is wrong in one in thirty, however sure it is."""
SETTLED_CONFIDENCE: Final = 0.8
FIRST_LOOK_S: Final = 0.2
"""The first look at a face stands for this long; later ones for the time since the one before."""
LONGEST_LOOK_S: Final = 3.5
"""No look stands for longer: between settled looks (`budget.SETTLED_EVERY_S`) and a little more."""
FOUNDED_S: Final = 0.6
"""An answer that held for so many good seconds was true: what replaces it is a change."""
MOST_CHANGES: Final = 8
"""Events kept of one person, the newest; more is a mask that is being eaten under."""

Sums = tuple[Amount, Amount, Amount]
"""In the order of `JUDGED_VERDICTS`."""
_NOTHING: Final[Sums] = (0.0, 0.0, 0.0)


class Change(FrozenRecord, frozen=True):
    """Somebody put a mask on, took it off or moved it, in view."""

    at_s: Moment
    before: Verdict
    after: Verdict


class Votes(FrozenRecord, frozen=True):
    """What is known of one person's mask. Times are the camera's, in seconds."""

    recent: Sums = _NOTHING
    """Weighted sums of class probabilities, at most `MOST_WEIGHT` together."""
    now: Verdict = "unknown"
    """How the mask is worn now."""
    looked_at_s: Moment = 0.0
    """When the face was last classified; 0 before the first time."""
    held_s: Sums = _NOTHING
    """Good seconds for which each verdict held."""
    sure_s: Sums = _NOTHING
    """The same, each times the probability of that verdict."""
    undecided_s: Amount = 0.0
    """Good seconds without any verdict."""
    now_held_s: Amount = 0.0
    """Good seconds for which `now` has held without a break."""
    now_since_s: Moment = 0.0
    founded: Verdict = "unknown"
    """The last verdict that held for `FOUNDED_S`."""
    changes: Annotated[tuple[Change, ...], Meta(max_length=MOST_EVENTS)] = ()

    @property
    def weight(self) -> float:
        return sum(self.recent)

    @property
    def confidence(self) -> float:
        """Mean recent probability of `now`, 0 to 1; 0 while unknown."""
        if self.now == "unknown":
            return 0.0
        return self.recent[JUDGED_VERDICTS.index(self.now)] / self.weight

    @property
    def settled(self) -> bool:
        """Whether more frames would hardly change `now`."""
        return self.weight >= SETTLED_WEIGHT and self.confidence >= SETTLED_CONFIDENCE

    @property
    def final(self) -> tuple[Verdict, float]:
        """The verdict that held for most of the judged time, and its mean probability then."""
        best = max(range(len(self.held_s)), key=self.held_s.__getitem__)
        if self.held_s[best] <= 0 or self.held_s[best] < self.undecided_s:
            return "unknown", 0.0
        return JUDGED_VERDICTS[best], self.sure_s[best] / self.held_s[best]

    def add(self, probabilities: npt.NDArray[np.float32], weight: float, time_s: float) -> Votes:
        """Return the votes with one more classification, `(3,)` in `JUDGED_VERDICTS` order.

        `weight` says how good the view was, 0 to 1 (see `worker.verdicts.evidence`).
        """
        time_s = round(time_s, 3)
        given = [float(part) for part in probabilities]
        fade = min(1.0, (MOST_WEIGHT - weight) / self.weight) if self.weight > 0 else 1.0
        recent = _sums(
            fade * old + weight * new for old, new in zip(self.recent, given, strict=True)
        )
        voted = replace(self, recent=recent, looked_at_s=time_s)
        now = voted._decide()
        if now != self.now:
            voted = replace(voted, now=now, now_since_s=time_s, now_held_s=0.0)
        return voted._credit(given, weight * self._stands_for_s(time_s))

    def _stands_for_s(self, time_s: float) -> float:
        if self.looked_at_s <= 0:
            return FIRST_LOOK_S
        return min(max(time_s - self.looked_at_s, 0.0), LONGEST_LOOK_S)

    def _credit(self, probabilities: list[float], seconds: float) -> Votes:
        if self.now == "unknown":
            return replace(self, undecided_s=round(self.undecided_s + seconds, 4))
        which = JUDGED_VERDICTS.index(self.now)
        votes = replace(
            self,
            held_s=_with(self.held_s, which, seconds),
            sure_s=_with(self.sure_s, which, seconds * probabilities[which]),
            now_held_s=round(self.now_held_s + seconds, 4),
        )
        return votes._founded() if votes.now_held_s >= FOUNDED_S else votes

    def _founded(self) -> Votes:
        if self.founded == self.now:
            return self
        votes = replace(self, founded=self.now)
        if self.founded == "unknown":
            return votes
        change = Change(self.now_since_s, self.founded, self.now)
        return replace(votes, changes=(*self.changes, change)[-MOST_CHANGES:])

    def _decide(self) -> Verdict:
        if self.weight < LEAST_WEIGHT:
            return "unknown"
        means = [part / self.weight for part in self.recent]
        best = max(range(len(means)), key=means.__getitem__)
        if self.now != "unknown":
            current = JUDGED_VERDICTS.index(self.now)
            leads = means[best] - means[current] >= HYSTERESIS
            if not leads and means[current] >= KEPT_CONFIDENCE:
                return self.now
        return JUDGED_VERDICTS[best] if means[best] >= LEAST_CONFIDENCE else "unknown"


def _sums(parts: Iterable[float]) -> Sums:
    mask, incorrect, no_mask = (round(float(part), 4) for part in parts)
    return mask, incorrect, no_mask


def _with(sums: Sums, which: int, amount: float) -> Sums:
    return _sums(part + amount * (index == which) for index, part in enumerate(sums))
