"""Minutes: how spans of time fall into them, and how a day of them becomes a few bytes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.stores.packed_days import LARGEST, pack_day, unpack_day
from contract.errors import MessageError
from contract.people.minutes import DAY_MINUTES, MinuteIncrements, open_field, parse_open_field

MOMENTS = st.floats(1.6e9, 1.6e9 + 7200, allow_nan=False)


@given(st.lists(MOMENTS, min_size=2, max_size=8))
def test_spans_that_touch_add_up_to_the_whole_span(moments: list[float]) -> None:
    moments.sort()
    parts, whole = MinuteIncrements(), MinuteIncrements()
    for from_s, to_s in pairwise(moments):
        parts.add_span(from_s, to_s, "analysed_ms")
    whole.add_span(moments[0], moments[-1], "analysed_ms")
    assert parts.amounts() == whole.amounts()
    assert sum(whole.amounts().values()) == round(moments[-1] * 1000) - round(moments[0] * 1000)
    assert all(amount <= 60_000 for amount in whole.amounts().values())


def test_a_span_that_goes_back_adds_nothing() -> None:
    increments = MinuteIncrements()
    increments.add_span(100.0, 90.0, "analysed_ms")
    assert not increments


def test_a_field_of_an_open_minute_reads_back() -> None:
    field = open_field(29_849_301, "invalid_ms:frozen").encode()
    assert parse_open_field(field) == (29_849_301, "invalid_ms:frozen")


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=30),
        st.dictionaries(st.integers(0, DAY_MINUTES - 1), st.integers(1, LARGEST), min_size=1),
        max_size=5,
    )
)
def test_a_packed_day_reads_back(given_columns: dict[str, dict[int, int]]) -> None:
    columns = {}
    for name, amounts in given_columns.items():
        columns[name] = np.zeros(DAY_MINUTES, np.int64)
        columns[name][list(amounts)] = list(amounts.values())
    read = unpack_day(pack_day(columns))
    assert read.keys() == columns.keys()
    for name, amounts in columns.items():
        np.testing.assert_array_equal(read[name], amounts)


def test_a_column_of_nothing_takes_no_space() -> None:
    assert unpack_day(pack_day({"frames": np.zeros(DAY_MINUTES, np.int64)})) == {}


@pytest.mark.parametrize("amount", [-1, LARGEST + 1])
def test_an_amount_that_does_not_fit_is_refused_not_cut(amount: int) -> None:
    with pytest.raises(ValueError, match="amounts of frames"):
        pack_day({"frames": np.full(DAY_MINUTES, amount, np.int64)})


@pytest.mark.parametrize("packed", [b"", b"2abc", b"1abc", b"1"])
def test_bytes_that_are_no_day_are_refused(packed: bytes) -> None:
    with pytest.raises(MessageError):
        unpack_day(packed)
