"""What the looks at one face make likely: how the mask is worn now, and was worn until now.

A hidden Markov model with a state for each verdict. People seldom change their mask; each look
speaks for its verdicts with their probabilities. Beside the chances of the moment, the model keeps
for each of them how the time until now was spent if it is true (smoothing by a recursion forwards:
Cappé, 2011). So a late clear look also changes what is believed of the time before: either the mask
was put on since, or the early looks were wrong, whichever is more likely.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from msgspec import Meta

from contract.people.verdicts import JUDGED_VERDICTS
from worker.saved_state import Amount, FrozenRecord

CHANGES_PER_S: Final = 1 / 30
"""How often a mask changes, for the model. That is more often than in life, so that no belief
becomes too sure to be overcome within a second: with half of it the slowest of nine changes in the
clips was noticed after 0.84 s instead of 0.64."""
ALIKE_S: Final = 0.3
"""Looks in close succession see the same and err together: one that follows after this time tells
63 % (1 - 1/e) of what it would tell alone. With 0.4, a man whose mask is in plain view for two
seconds, after the back of his head, was still called bare; with 0.2 more answers were wrong."""
LEAST_PROBABILITY: Final = 0.005
"""No look speaks more strongly against a verdict than this: of the looks surer than 0.98, one in
a thousand is wrong."""
LEAST_CHANCE: Final = 1e-6
"""Nothing is ruled out."""
FIRST_LOOK_S: Final = 0.2
"""The first look at a face stands for this long, a later one for the time since the last ..."""
LONGEST_LOOK_S: Final = 0.5
"""... but no longer than this, which is the time between looks at a settled face."""

Chance = Annotated[float, Meta(ge=LEAST_CHANCE, le=1)]
Three = tuple[Amount, Amount, Amount]
"""In the order of `JUDGED_VERDICTS`."""
_Each = range(len(JUDGED_VERDICTS))
_NOTHING: Final[Three] = (0.0, 0.0, 0.0)


class Belief(FrozenRecord, frozen=True):
    """Chances of each verdict, and what follows for the time in view."""

    chances: tuple[Chance, Chance, Chance] = (0.333333, 0.333333, 0.333333)
    """How likely the mask is worn so now; together 1."""
    held_s: tuple[Three, Three, Three] = (_NOTHING, _NOTHING, _NOTHING)
    """One row for each verdict, if it is the true one now: good seconds that the mask was worn in
    each way. A second of a poor view counts as less."""
    doubt: Three = _NOTHING
    """For each verdict, if it is the true one now: the sum over those seconds of -log of the
    probability that the look gave to how the mask was worn."""

    def look(self, probabilities: Sequence[float], weight: float, after_s: float | None) -> Belief:
        """Return the belief after one more look.

        probabilities: of each verdict. weight: how much the view can show, 0 to 1. after_s: seconds
        since the look before; None: this is the first.
        """
        stays, new, stands_s = _passed(after_s)
        speaks_against = [-math.log(max(one, LEAST_PROBABILITY)) for one in probabilities]
        anew = (1.0 - stays) / len(_Each)
        before = [stays * chance + anew for chance in self.chances]
        same = [stays * chance / now for chance, now in zip(self.chances, before, strict=True)]
        good_s = weight * stands_s
        return Belief(
            _updated(before, speaks_against, weight * new),
            self._held_s(same, good_s),
            self._doubt(same, [good_s * one for one in speaks_against]),
        )

    @property
    def seen_s(self) -> float:
        """Good seconds altogether: the same in each row."""
        return sum(self.held_s[0])

    @property
    def seconds(self) -> list[float]:
        """Good seconds for which the mask was probably worn in each way."""
        return [self._expected([row[how] for row in self.held_s]) for how in _Each]

    @property
    def agreement(self) -> float:
        """Geometric mean probability that looks gave to how the mask was worn, 0 to 1."""
        return math.exp(-self._expected(self.doubt) / self.seen_s) if self.seen_s > 0 else 0.0

    def _expected(self, of_each: Sequence[float]) -> float:
        return sum(chance * one for chance, one in zip(self.chances, of_each, strict=True))

    def _held_s(self, same: Sequence[float], good_s: float) -> tuple[Three, Three, Three]:
        """Return the rows after a look that stands for `good_s`.

        same: for each verdict, if it is true now, the chance that it was before this look.
        """
        seconds = self.seconds
        mask, incorrect, no_mask = (
            _three(
                same[now] * self.held_s[now][how]
                + (1.0 - same[now]) * seconds[how]
                + good_s * (how == now)
                for how in _Each
            )
            for now in _Each
        )
        return mask, incorrect, no_mask

    def _doubt(self, same: Sequence[float], added: Sequence[float]) -> Three:
        doubt = self._expected(self.doubt)
        return _three(
            same[now] * self.doubt[now] + (1.0 - same[now]) * doubt + added[now] for now in _Each
        )


def _passed(after_s: float | None) -> tuple[float, float, float]:
    """Return the chance that no mask changed, how much of a look is new, and what it stands for."""
    if after_s is None:
        return 1.0, 1.0, FIRST_LOOK_S
    stays, alike = math.exp(-CHANGES_PER_S * after_s), math.exp(-after_s / ALIKE_S)
    return stays, 1.0 - alike, min(after_s, LONGEST_LOOK_S)


def _updated(
    before: Sequence[float], speaks_against: Sequence[float], strength: float
) -> tuple[float, float, float]:
    least = min(speaks_against)
    chances = [
        chance * math.exp(-strength * (against - least))
        for chance, against in zip(before, speaks_against, strict=True)
    ]
    known = sum(chances)
    mask, incorrect, no_mask = (max(round(one / known, 6), LEAST_CHANCE) for one in chances)
    return mask, incorrect, no_mask


def _three(parts: Iterable[float]) -> Three:
    mask, incorrect, no_mask = (round(part, 4) for part in parts)
    return mask, incorrect, no_mask
