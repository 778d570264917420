"""People seen by somebody beside people counted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from contract.people.tallies import APART_S, Tally, matches

TIMES = st.lists(st.integers(0, 15), max_size=5)


def test_a_tally_tells_missed_people_from_people_counted_twice() -> None:
    tally = Tally("a", "Ada", 0.0, 120.0, (10.0, 20.0, 60.0), (10.4, 11.0, 22.5))
    assert (tally.both, tally.missed, tally.too_many) == (2, 1, 1)
    assert Tally.decode(tally.encode()) == tally


@given(TIMES, TIMES)
def test_no_other_pairing_finds_more_people(seen: list[int], counted: list[int]) -> None:
    assert matches(seen, counted) == most_pairs(seen, counted)


def most_pairs(seen: Sequence[float], counted: Sequence[float]) -> int:
    """Of all ways to pair the times, the most pairs."""
    few, many = sorted((seen, counted), key=len)
    return max(
        sum(abs(a - b) <= APART_S for a, b in zip(few, chosen, strict=True))
        for chosen in itertools.permutations(many, len(few))
    )
