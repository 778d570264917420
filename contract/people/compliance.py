"""The share of people who wore a mask, with its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from contract.people.verdicts import JUDGED_VERDICTS, Verdict

_Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class MaskRate:
    """A rate of 0 to 1 over `people` people with a verdict, and its 95 % Wilson interval."""

    people: int
    rate: float | None
    """None, like the bounds, before anybody has a verdict."""
    low: float | None = None
    high: float | None = None


def mask_rate(people: Mapping[Verdict, int]) -> MaskRate:
    """Return mask / (mask + incorrect + no_mask); `unknown` stays outside the ratio.

    Interval: Wilson (1927), which stays inside 0 to 1 and is usable from a few people on.

    >>> mask_rate({"mask": 8, "incorrect": 1, "no_mask": 1, "unknown": 5}).rate
    0.8
    """
    judged = sum(people.get(verdict, 0) for verdict in JUDGED_VERDICTS)
    if not judged:
        return MaskRate(0, None)
    masked = people.get("mask", 0)
    return MaskRate(judged, masked / judged, *wilson(masked, judged))


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share, `hits` of one or more."""
    rate, spread = hits / total, _Z**2 / total
    centre = (rate + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(rate * (1 - rate) / total + spread / (4 * total))
    return max(0.0, centre - half), min(1.0, centre + half)
