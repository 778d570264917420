"""A finished person as a message."""

from __future__ import annotations

import json

import pytest

from contract.errors import MessageError
from contract.people.people import LineCrossing, Person, VerdictChange
from contract.people.totals import crossed_field, read_crossed_field

SOMEBODY = Person(
    track_id=7,
    first_seen_s=100.25,
    last_seen_s=107.5,
    sightings=36,
    best_face_px=88.4,
    verdict="mask",
    confidence=0.91,
    judged_s=4.2,
    crossings=(LineCrossing(103.0, "Door: north", "in"),),
    zones=("Queue",),
    changes=(VerdictChange(101.0, "no_mask", "mask"),),
)


def test_a_person_reads_back_as_they_were_written() -> None:
    assert Person.decode(SOMEBODY.encode()) == SOMEBODY


@pytest.mark.parametrize(
    "raw", ["nonsense", "[]", "{}", '{"v":99}', json.dumps({"v": 1, "track_id": 1})]
)
def test_what_is_no_person_is_refused(raw: str) -> None:
    with pytest.raises(MessageError):
        Person.decode(raw)


def test_a_line_may_have_any_name_and_its_total_is_still_told_apart() -> None:
    field = crossed_field("Door: north:in", "out", "no_mask")
    assert read_crossed_field(field) == ("Door: north:in", "out", "no_mask")
    assert read_crossed_field("people:mask") is None
