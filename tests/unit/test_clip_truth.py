"""What was counted by eye in the clips can be read, and makes sense."""

from __future__ import annotations

import pytest

from benchmarks.scenes.clip_truth import ClipTruth, clip_truths
from contract.people.verdicts import VERDICTS

TRUTHS = clip_truths()


def test_every_clip_has_its_people() -> None:
    assert {truth.clip.removesuffix(".mp4"): truth.counted for truth in TRUTHS} == {
        "cafe_street_bare": 4,
        "class_a": 5,
        "class_b": 5,
        "concourse_1080p": 8,
        "corridor_270p": 3,
        "ear_hang_car": 1,
        "four_put_on": 4,
        "highstreet_bare": 3,
        "intel_onebyone": 3,
        "night_street": 13,
        "nurse": 2,
        "office_profile": 1,
        "one_person_mask": 1,
        "one_person_no_mask": 1,
        "pair_walk_masked": 2,
        "press_masked": 6,
        "pull_to_chin": 2,
        "subway_car_bare": 3,
        "walkers_360p": 6,
    }


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.clip)
def test_spans_are_in_order_and_boxes_have_an_area(truth: ClipTruth) -> None:
    assert len({person.who for person in truth.people}) == len(truth.people)
    assert truth.camera in ("fixed", "moving")
    for person in truth.people:
        assert person.state in VERDICTS
        assert {span.state for span in person.spans} <= set(VERDICTS)
        frames = [frame for span in person.spans for frame in span.keys[:, 0]]
        assert frames == sorted(set(frames))
        for span in person.spans:
            assert (span.keys[:, 3:] - span.keys[:, 1:3] >= 5).all(), person.who


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.clip)
def test_who_counts_can_be_judged_for_half_a_second(truth: ClipTruth) -> None:
    for person in truth.people:
        frames = sum(s.keys[-1, 0] - s.keys[0, 0] for s in person.spans if s.judgeable)
        assert person.counts == (frames / truth.fps >= 0.5), person.who


def test_a_face_is_between_its_keys_and_nowhere_outside() -> None:
    person = next(truth for truth in TRUTHS if truth.clip.startswith("corridor")).people[0]
    first, second = person.spans[0].keys[:2]
    middle = person.at((first[0] + second[0]) / 2)
    assert middle is not None
    box, judgeable = middle
    assert judgeable
    assert box == pytest.approx((first[1:] + second[1:]) / 2)
    assert person.at(41) is None


def test_the_state_of_a_person_is_the_one_that_held_longest() -> None:
    for truth in TRUTHS:
        for person in truth.people:
            held: dict[str, float] = {}
            for span in person.spans:
                if span.judgeable:
                    lasted = float(span.keys[-1, 0] - span.keys[0, 0])
                    held[span.state] = held.get(span.state, 0.0) + lasted
            if held:
                assert person.state == max(held, key=lambda state: held[state]), person.who


def test_a_mask_pulled_below_the_chin_is_a_change() -> None:
    [truth] = [truth for truth in TRUTHS if truth.clip.startswith("pull_to_chin")]
    for person in truth.people:
        [(frame, before, after)] = person.changes
        assert (before, after) == ("mask", "incorrect")
        assert frame / truth.fps == pytest.approx(3.4, abs=0.1)
