"""What a worker saves for its successor: read back whole, of the version before, and refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from contract.errors import MessageError
from contract.messages import MOST_RECORD_BYTES
from contract.people.totals import Increments
from worker import saved_state
from worker.condition.condition import CameraCondition
from worker.tracking.people import count
from worker.tracking.tracker import Tracker

SAVED = Path(__file__).parent / "saved_states"
TRACKERS: dict[str, Any] = json.loads((SAVED / "trackers.json").read_text(encoding="utf-8"))
CONDITIONS: dict[str, Any] = json.loads((SAVED / "conditions.json").read_text(encoding="utf-8"))
Decode = Callable[[str], object]
Way = tuple[Any, ...]

STATES: list[tuple[Decode, str]] = [
    *((Tracker.decode, state) for state in TRACKERS["states"].values()),
    *((CameraCondition.decode, state) for state in CONDITIONS["states"].values()),
]


@pytest.mark.parametrize("version", TRACKERS["states"])
def test_a_takeover_from_either_version_loses_nobody_in_view(version: str) -> None:
    saved = TRACKERS["states"][version]
    tracker, increments = Tracker.decode(saved), Increments()
    boxes = [[round(edge, 3) for edge in track.motion.box] for track in tracker.tracks]
    assert boxes == TRACKERS["boxes"]
    people = count(tracker.end_all(), has_zones=True, increments=increments)
    assert [json.loads(person.encode()) for person in people] == TRACKERS["people"]
    assert sorted(map(list, increments.items())) == TRACKERS["increments"]


@pytest.mark.parametrize("version", TRACKERS["states"])
def test_a_successor_of_either_version_finds_the_same_faces_in_the_next_frame(version: str) -> None:
    tracker = Tracker.decode(TRACKERS["states"][version])
    frame = np.array(TRACKERS["next_frame"], np.float32)
    whose, _ = tracker.update(frame, TRACKERS["next_at_s"], tuple(TRACKERS["frame_size"]))
    assert [track.id if track else None for track in whose] == TRACKERS["next_ids"]


@pytest.mark.parametrize("version", CONDITIONS["states"])
def test_what_either_version_learnt_of_a_camera_is_known_to_its_successor(version: str) -> None:
    condition = CameraCondition.decode(CONDITIONS["states"][version])
    record = condition.take_record(CONDITIONS["at_s"])
    assert record is not None
    assert json.loads(record.report) == CONDITIONS["report"]
    assert record.state == CONDITIONS["states"]["2"]


def test_a_state_of_the_version_before_is_saved_as_this_versions() -> None:
    tracker = Tracker.decode(TRACKERS["states"]["2"])
    assert tracker.encode() == TRACKERS["states"]["3"]
    assert tracker.tracks == Tracker.decode(tracker.encode()).tracks


def test_an_early_condition_of_the_version_before_without_a_view_is_read() -> None:
    record = json.loads(CONDITIONS["states"]["1"])
    record["quality"] |= {"seen_at_s": None, "stillness": [], "viewpoint": []}
    record["fitness"] = [0, [], 0, 0.0, 0.0, 0.0, [0.0, 0.0, 0.0]]
    condition = CameraCondition.decode(json.dumps(record))
    assert condition.quality.seen_at_s is None
    assert condition.fitness.report().people == 0


def accepts(decode: Decode, text: str) -> bool:
    try:
        decode(text)
    except MessageError:
        return False
    return True


def numbers_in(record: Any, path: Way = ()) -> Iterator[Way]:
    """The way to each number of a record."""
    if isinstance(record, dict | list):
        for key, part in record.items() if isinstance(record, dict) else enumerate(record):
            yield from numbers_in(part, (*path, key))
    elif isinstance(record, int | float) and not isinstance(record, bool):
        yield path


def replaced(record: Any, path: Way, by: str) -> str:
    """Return the record as JSON with the text `by` in one place."""
    copy = json.loads(json.dumps(record))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = "HERE"
    return json.dumps(copy).replace('"HERE"', by)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "1e30", "-1e30", '"1"'])
def test_no_number_of_a_state_takes_what_nobody_can_calculate_with(text: str) -> None:
    for decode, state in STATES:
        record = json.loads(state)
        paths = list(numbers_in(record))
        assert len(paths) > 20
        for path in paths:
            assert not accepts(decode, replaced(record, path, text)), f"{text} at {path}"


@pytest.mark.parametrize(("decode", "state"), STATES)
def test_a_state_cut_off_or_of_other_parts_is_refused(decode: Decode, state: str) -> None:
    record = json.loads(state)
    cut = [state[:end] for end in range(1, len(state), 97)]
    without = [{name: part for name, part in record.items() if name != gone} for gone in record]
    other = [{**record, name: "x"} for name in record] + [{**record, name: {}} for name in record]
    for text in cut + [json.dumps(one) for one in without + other]:
        assert not accepts(decode, text), text[:200]


def test_a_refusal_says_where_and_what_was_expected_on_one_line() -> None:
    record = json.loads(TRACKERS["states"]["3"])
    saved = TRACKERS["states"]["3"].replace('"no_mask"', '"\\u202e\\nforged"', 1)
    words = r"tracker's state cannot be read: Invalid enum value .*\$\.tracks\[0\]"
    with pytest.raises(MessageError, match=words) as error:
        Tracker.decode(saved)
    assert str(error.value).isprintable()
    with pytest.raises(MessageError, match="has schema '99', expected 3: upgrade all"):
        Tracker.decode('{"v":99}')
    with pytest.raises(MessageError, match="expected at most"):
        Tracker.decode(" " * (MOST_RECORD_BYTES + 1))
    with pytest.raises(MessageError, match="of length <= 5000"):
        Tracker.decode(json.dumps({**record, "tracks": record["tracks"][-1:] * 5001}))


def test_a_state_that_no_successor_could_read_is_not_written() -> None:
    tracker = Tracker.decode(TRACKERS["states"]["3"])
    tracker.tracks[0].best_score = float("nan")
    with pytest.raises(MessageError, match=r"got `null` - at `\$\.tracks\[0\]\[9\]`"):
        tracker.encode()
    tracker.tracks[0].best_score = 0.5
    tracker.tracks[0].passage.zones.append("null")
    assert Tracker.decode(tracker.encode()).tracks == tracker.tracks


class _Grown(saved_state.Record):
    a: saved_state.Amount
    new: saved_state.Count = 7


class _GrownState(saved_state.SavedState, tag=1):
    parts: list[_Grown]


def test_a_field_added_at_the_end_with_a_default_is_read_by_both_versions() -> None:
    read = saved_state.read_state('{"v":1,"parts":[[0.5]]}', _GrownState, dict, "it")
    assert read == _GrownState([_Grown(0.5, 7)])
    grown = json.loads(TRACKERS["states"]["3"])
    for track in grown["tracks"]:
        track.append({"new": [1]})
    assert Tracker.decode(json.dumps(grown)).encode() == TRACKERS["states"]["3"]


def test_a_mask_that_a_former_worker_thought_impossible_is_possible_to_this_one() -> None:
    record = json.loads(TRACKERS["states"]["2"])
    record["tracks"][1][13][2:5] = [3.0, 0.0, 0.0]
    [_, masked, *_] = Tracker.decode(json.dumps(record)).tracks
    look = np.array([0.0, 0.0, 1.0], np.float32)
    assert masked.votes.add(look, 1.0, masked.votes.looked_at_s).now == "mask"
