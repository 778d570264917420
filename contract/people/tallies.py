"""Tallies: somebody counts who passes a camera, to learn how well Maskwatch counts there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import Field

from contract.messages import Moment, StoredRecord

TALLY_S: Final = 120.0
"""How long a tally on the page takes."""
LONGEST_S: Final = 600.0
SETTLED_S: Final = 15.0
"""Seconds after which everybody who left the picture is counted: a track ends 2.5 s after its last
sighting, and a worker may be some seconds behind."""
APART_S: Final = 3.0
"""A person seen and a person counted are the same if they left at most this far apart."""
MOST_SEEN: Final = 1000

Times = Annotated[tuple[Moment, ...], Field(max_length=MOST_SEEN)]


@dataclass(frozen=True)
class Tally(StoredRecord):
    """People who left the picture between two moments, as somebody saw it and as counted."""

    WHAT: ClassVar = "a tally"

    id: str
    by: str
    from_s: Moment
    """Capture time, as all times here."""
    until_s: Moment
    seen: Times
    """When each person whom somebody saw left the picture, in order."""
    counted: Times
    """When each person whom Maskwatch counted was last seen, in order."""

    @property
    def both(self) -> int:
        """People who were seen and counted."""
        return matches(self.seen, self.counted)

    @property
    def missed(self) -> int:
        """People who were seen and not counted."""
        return len(self.seen) - self.both

    @property
    def too_many(self) -> int:
        """People who were counted and not seen: twice, or things."""
        return len(self.counted) - self.both


def matches(seen: Sequence[float], counted: Sequence[float]) -> int:
    """Return how many pairs of times at most `APART_S` apart there are, each time in one pair.

    Pairing the earliest that fit gives the most pairs, because all times have the same tolerance.
    """
    pairs = left = right = 0
    seen, counted = sorted(seen), sorted(counted)
    while left < len(seen) and right < len(counted):
        apart_s = counted[right] - seen[left]
        pairs += abs(apart_s) <= APART_S
        left, right = left + (apart_s >= -APART_S), right + (apart_s <= APART_S)
    return pairs
