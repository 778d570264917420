"""What was counted by eye in the clips can be read, and makes sense."""

from __future__ import annotations

import pytest

from benchmarks.clip_truth import ClipTruth, clip_truths
from contract.people.verdicts import VERDICTS

TRUTHS = clip_truths()


def test_every_clip_has_its_people() -> None:
    assert {truth.clip: truth.counted for truth in TRUTHS} == {
        "concourse_1080p.mp4": 8,
        "corridor_270p.mp4": 3,
        "walkers_360p.mp4": 6,
    }


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth.clip)
def test_spans_are_in_order_and_boxes_have_an_area(truth: ClipTruth) -> None:
    assert len({person.who for person in truth.people}) == len(truth.people)
    for person in truth.people:
        assert person.state in VERDICTS
        frames = [frame for span in person.spans for frame in span.keys[:, 0]]
        assert frames == sorted(set(frames))
        for span in person.spans:
            assert (span.keys[:, 3:] - span.keys[:, 1:3] >= 8).all(), person.who


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
