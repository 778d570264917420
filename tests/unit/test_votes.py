"""Evidence becomes a verdict, and a verdict does not flicker."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.people.people import LEAST_CONFIDENCE
from worker.verdicts.evidence import (
    LEAST_VIEW,
    UNJUDGEABLE,
    frontality_of,
    of_judgeable,
    sharpness_of,
    weigh,
)
from worker.verdicts.votes import Votes

MASK = np.array([0.9, 0.05, 0.05], np.float32)
NO_MASK = np.array([0.05, 0.05, 0.9], np.float32)
UNSURE = np.array([0.34, 0.33, 0.33], np.float32)
STEP_S = 0.2


def gathered(
    *faces: tuple[np.ndarray, float], votes: Votes | None = None, start_s: float = 100.0
) -> Votes:
    votes = votes or Votes()
    for number, (probabilities, weight) in enumerate(faces):
        votes = votes.add(probabilities, weight, start_s + number * STEP_S)
    return votes


def test_one_large_clear_face_is_enough_for_a_verdict() -> None:
    votes = gathered((MASK, 1))
    assert votes.now == votes.final[0] == "mask"
    assert votes.confidence == pytest.approx(0.9, abs=1e-3)
    assert votes.final[1] >= LEAST_CONFIDENCE


def test_nothing_seen_and_nothing_clear_is_unknown() -> None:
    assert Votes().now == "unknown"
    assert Votes().confidence == 0
    assert gathered((UNSURE, 1), (UNSURE, 1)).now == "unknown"


def test_a_view_that_shows_nothing_says_nothing() -> None:
    votes = gathered((MASK, 0.0), (MASK, 0.0))
    assert (votes.now, votes.final) == ("unknown", ("unknown", 0.0))


def test_the_back_of_a_head_is_no_evidence_however_often_it_is_seen() -> None:
    back, counts = of_judgeable(np.array([0.1, 0.0, 0.3, 0.6], np.float32))
    face, clear = of_judgeable(np.array([0.9, 0.03, 0.03, 0.04], np.float32))

    assert [back.sum(), face.sum()] == pytest.approx([1, 1])
    seen = gathered(*[(back, counts)] * 30, *[(face, clear)] * 5)
    assert seen.now == gathered(*[(face, clear)] * 5).now == "mask"


def test_a_look_counts_for_less_the_less_it_can_be_judged() -> None:
    factors = [
        of_judgeable(np.array([1 - unknown, 0, 0, unknown], np.float32))[1]
        for unknown in (0.0, 0.1, 0.2, UNJUDGEABLE, 0.5)
    ]
    assert factors == pytest.approx([1.0, 0.6, 0.2, 0.0, 0.0], abs=1e-6)


def test_a_look_that_is_surely_of_no_face_weighs_nothing() -> None:
    judged, counts = of_judgeable(np.array([0, 0, 0, 1], np.float32))

    assert counts == 0
    assert not np.isnan(judged).any()
    assert gathered((judged, counts)).now == "unknown"


def test_one_contrary_frame_does_not_change_a_verdict() -> None:
    assert gathered((MASK, 1), (MASK, 1), (NO_MASK, 1)).now == "mask"


def test_lasting_contrary_evidence_does() -> None:
    assert gathered((MASK, 1), *[(NO_MASK, 1)] * 4).now == "no_mask"


def test_a_person_whose_looks_are_divided_evenly_is_unknown() -> None:
    votes = gathered((MASK, 1), *[(NO_MASK, 1), (MASK, 1)] * 6, (NO_MASK, 1))
    assert votes.final[1] < LEAST_CONFIDENCE


def test_a_face_judged_with_little_confidence_is_unknown() -> None:
    votes = gathered(*[(np.array([0.45, 0.3, 0.25], np.float32), 1)] * 3)
    assert votes.now == "unknown"
    assert votes.final[1] < LEAST_CONFIDENCE


def test_a_verdict_settles_only_on_agreeing_evidence() -> None:
    assert gathered(*[(MASK, 1)] * 5).settled
    assert not gathered(*[(MASK, 1), (NO_MASK, 1)] * 3).settled


def test_who_puts_a_mask_on_at_the_exit_counts_as_they_were_for_most_of_the_time() -> None:
    votes = gathered(*[(NO_MASK, 1)] * 20, *[(MASK, 1)] * 10)
    assert votes.now == "mask"
    assert votes.final == ("no_mask", pytest.approx(0.92, abs=0.02))


def test_a_change_in_view_is_kept_with_its_time() -> None:
    votes = gathered(*[(NO_MASK, 1)] * 20, *[(MASK, 1)] * 10)
    [change] = votes.changes
    assert (change.before, change.after) == ("no_mask", "mask")
    assert change.at_s == pytest.approx(100 + 20 * STEP_S, abs=5 * STEP_S)


def test_an_error_corrected_by_a_better_view_is_no_change() -> None:
    votes = gathered(*[(NO_MASK, 0.1)] * 15, *[(MASK, 1)] * 8)
    assert votes.final[0] == "mask"
    assert votes.changes == ()


def test_one_contrary_look_is_no_change() -> None:
    votes = gathered(*[(MASK, 1)] * 8, (NO_MASK, 1), *[(MASK, 1)] * 8)
    assert votes.changes == ()


def test_a_second_of_a_poor_view_counts_less_than_one_of_a_good_view() -> None:
    votes = gathered(*[(MASK, 0.05)] * 12, *[(NO_MASK, 1)] * 8)
    assert votes.final[0] == "no_mask"


def test_looks_half_a_second_apart_stand_for_the_time_between() -> None:
    votes = gathered(*[(MASK, 1)] * 5)
    for number in range(1, 17):
        votes = votes.add(MASK, 1, 100.8 + 0.5 * number)
    votes = gathered(*[(NO_MASK, 1)] * 20, votes=votes, start_s=109.0)
    assert votes.now == "no_mask"
    assert votes.final[0] == "mask"


def test_one_look_after_a_long_time_stands_for_half_a_second_only() -> None:
    votes = gathered(*[(NO_MASK, 1)] * 10).add(MASK, 1, 200.0)
    assert votes.judged_s == pytest.approx(0.2 + 9 * STEP_S + 0.5, abs=1e-3)
    assert votes.final[0] == "no_mask"


def test_poor_early_looks_that_are_sure_do_not_outweigh_late_clear_ones() -> None:
    """The back of a head, twice, surely; then two seconds in which a mask is in plain view."""
    head = np.array([0.02, 0.01, 0.97], np.float32)
    clear = np.array([0.96, 0.02, 0.02], np.float32)
    looks = [(clear, 0.6)] * 16 + [(head, 0.2)] * 3
    votes = gathered((head, 0.2), (head, 0.2), *looks)
    assert votes.now == votes.final[0] == "mask"
    assert votes.changes == ()


def test_a_mask_in_view_for_two_seconds_is_said_although_the_back_of_the_head_was_clearer() -> None:
    """As the real clip has it: 36 looks at a head that turns away, then 20 at a masked profile."""
    head = np.array([0.02, 0.01, 0.97], np.float32)
    profile = np.array([0.97, 0.01, 0.02], np.float32)
    votes = Votes()
    for number in range(56):
        look = (profile, 0.22) if number >= 36 else (head, 0.6 if number < 2 else 0.12)
        votes = votes.add(*look, 100.0 + 0.125 * number)
    assert votes.now == "mask"
    assert votes.final[1] < LEAST_CONFIDENCE


def test_a_change_that_every_look_shows_is_noticed_within_a_second() -> None:
    """Looks at 5 frames a second say mask for 2.5 s and then incorrect; one was credited with the
    time since the one before."""
    mask = np.array([0.99, 0.005, 0.005], np.float32)
    incorrect = np.array([0.01, 0.98, 0.01], np.float32)
    votes = gathered(*[(mask, 1)] * 13)
    assert votes.now == "mask"
    votes = gathered(*[(incorrect, 1)] * 4, votes=votes, start_s=102.6)
    assert votes.now == "incorrect"
    votes = gathered(*[(incorrect, 1)] * 25, votes=votes, start_s=103.4)
    assert votes.final == ("incorrect", pytest.approx(0.93, abs=0.02))
    [change] = votes.changes
    assert (change.before, change.after) == ("mask", "incorrect")


def test_looks_in_close_succession_tell_little_more_than_one() -> None:
    likely = np.array([0.8, 0.1, 0.1], np.float32)
    once, close, apart = Votes(), Votes(), Votes()
    once = once.add(likely, 1, 100.0)
    for number in range(10):
        close = close.add(likely, 1, 100.0 + 0.01 * number)
        apart = apart.add(likely, 1, 100.0 + 1.0 * number)
    assert once.confidence < close.confidence < 0.9 < apart.confidence


def test_a_verdict_that_looks_hardly_support_is_unknown() -> None:
    """Each look was unsure: as many as they are, they err together."""
    votes = gathered(*[(np.array([0.45, 0.35, 0.2], np.float32), 0.3)] * 40)
    assert votes.final[1] < LEAST_CONFIDENCE


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.floats(0.34, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 5.0)
        ),
        min_size=1,
        max_size=30,
    )
)
def test_beliefs_stay_within_bounds_and_their_rows_agree(looks: list[tuple[Any, ...]]) -> None:
    votes, time_s = Votes(), 100.0
    for which, sure, weight, after_s in looks:
        probabilities = np.full(3, (1 - sure) / 2, np.float32)
        probabilities[which] = sure
        time_s += after_s
        votes = votes.add(probabilities, weight, time_s)
    belief = votes.belief
    assert sum(belief.chances) == pytest.approx(1.0, abs=1e-4)
    for row in belief.held_s:
        assert sum(row) == pytest.approx(votes.judged_s, abs=0.01)
    assert 0 <= votes.confidence <= 1
    assert 0 <= votes.final[1] <= 1
    assert msgspec.json.decode(msgspec.json.encode(votes), type=Votes) == votes


def test_votes_read_back_as_they_were_saved() -> None:
    votes = gathered(*[(NO_MASK, 0.8)] * 12, *[(MASK, 0.9)] * 9, (UNSURE, 0.3))
    assert votes.changes
    assert msgspec.json.decode(msgspec.json.encode(votes), type=Votes) == votes


def test_what_the_detector_hardly_takes_for_a_face_weighs_less() -> None:
    weights = [weigh(1.0, score, 0.75) for score in (0.6, 0.7, 0.75, 0.8, 0.85, 0.99)]
    assert weights == sorted(weights)
    assert (weights[0], weights[-1]) == (LEAST_VIEW, 1.0)


def test_a_blurred_face_weighs_less_than_a_sharp_one_whatever_the_light() -> None:
    import cv2

    from ingest.demo.face import portrait

    sharp = cv2.resize(portrait()[0][50:190, 40:180], (128, 128))
    blurred = cv2.GaussianBlur(sharp, (0, 0), 6)
    dark = (sharp * 0.4).astype(np.uint8)
    assert sharpness_of(dark) == pytest.approx(sharpness_of(sharp), rel=0.15)
    views = [weigh(sharpness_of(crop), 0.9, 0.75) for crop in (blurred, sharp)]
    assert views[0] < 0.5 * views[1]


def test_a_profile_is_less_frontal_and_no_landmarks_cost_nothing() -> None:
    frontal = np.array([[10, 10], [30, 10], [20, 20], [14, 30], [26, 30]], np.float32)
    profile = frontal + np.array([[0, 0], [0, 0], [11, 0], [6, 0], [4, 0]], np.float32)
    assert frontality_of(frontal) == 1.0 == frontality_of(None)
    assert frontality_of(profile) < 0.4
    turned = frontal @ np.array([[0.9, 0.44], [-0.44, 0.9]], np.float32)
    assert frontality_of(turned) == pytest.approx(1.0)
