"""Evidence becomes a verdict, and a verdict does not flicker."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from worker.verdicts.evidence import frontality_of, sharpness_of, size_weight, weigh
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


def test_nothing_seen_and_nothing_clear_is_unknown() -> None:
    assert Votes().now == "unknown"
    assert Votes().confidence == 0
    assert gathered((UNSURE, 1), (UNSURE, 1)).now == "unknown"


def test_a_face_too_small_to_judge_says_nothing() -> None:
    assert gathered((MASK, size_weight(10)), (MASK, size_weight(19))).now == "unknown"


def test_one_contrary_frame_does_not_change_a_verdict() -> None:
    assert gathered((MASK, 1), (MASK, 1), (NO_MASK, 1)).now == "mask"


def test_lasting_contrary_evidence_does() -> None:
    assert gathered((MASK, 1), *[(NO_MASK, 1)] * 4).now == "no_mask"


def test_evidence_divided_evenly_is_unknown() -> None:
    assert gathered((MASK, 1), *[(NO_MASK, 1), (MASK, 1)] * 3, (NO_MASK, 1)).now == ("unknown")


def test_a_face_judged_with_little_confidence_is_unknown() -> None:
    assert gathered(*[(np.array([0.6, 0.2, 0.2], np.float32), 1)] * 3).now == "unknown"


def test_a_verdict_settles_only_on_agreeing_evidence() -> None:
    assert gathered(*[(MASK, 1)] * 3).settled
    assert not gathered(*[(MASK, 1), (NO_MASK, 1)] * 3).settled


def test_who_puts_a_mask_on_at_the_exit_counts_as_they_were_for_most_of_the_time() -> None:
    votes = gathered(*[(NO_MASK, 1)] * 20, *[(MASK, 1)] * 10)
    assert votes.now == "mask"
    assert votes.final == ("no_mask", pytest.approx(0.85, abs=0.06))


def test_a_change_in_view_is_kept_with_its_time() -> None:
    votes = gathered(*[(NO_MASK, 1)] * 20, *[(MASK, 1)] * 10)
    [change] = votes.changes
    assert (change.before, change.after) == ("no_mask", "mask")
    assert change.at_s == pytest.approx(100 + 20 * STEP_S, abs=3 * STEP_S)


def test_an_error_corrected_by_a_better_view_is_no_change() -> None:
    votes = gathered(*[(NO_MASK, 0.1)] * 15, *[(MASK, 1)] * 8)
    assert votes.final[0] == "mask"
    assert votes.changes == ()


def test_one_contrary_look_is_no_change() -> None:
    votes = gathered(*[(MASK, 1)] * 8, (NO_MASK, 1), *[(MASK, 1)] * 8)
    assert votes.changes == ()


def test_a_second_of_a_poor_view_counts_less_than_one_of_a_good_view() -> None:
    votes = gathered(*[(MASK, 0.2)] * 12, *[(NO_MASK, 1)] * 8)
    assert votes.final[0] == "no_mask"


def test_rare_looks_at_a_settled_face_stand_for_the_time_between() -> None:
    votes = gathered(*[(MASK, 1)] * 5)
    for number in range(5):
        votes = votes.add(MASK, 1, 102.0 + 2 * number)
    votes = gathered(*[(NO_MASK, 1)] * 25, votes=votes, start_s=111.0)
    assert votes.now == "no_mask"
    assert votes.final[0] == "mask"


def test_votes_read_back_as_they_were_saved() -> None:
    votes = gathered(*[(NO_MASK, 0.8)] * 12, *[(MASK, 0.9)] * 9, (UNSURE, 0.3))
    assert votes.changes
    assert msgspec.json.decode(msgspec.json.encode(votes), type=Votes) == votes


def test_larger_faces_weigh_more_up_to_one() -> None:
    weights = [size_weight(height) for height in (5, 20, 24, 40, 56, 300)]
    assert weights == sorted(weights)
    assert weights[0] == 0
    assert weights[-1] == 1


def test_a_blurred_face_weighs_less_than_a_sharp_one_whatever_the_light() -> None:
    import cv2

    from ingest.demo.face import portrait

    sharp = cv2.resize(portrait()[0][50:190, 40:180], (128, 128))
    blurred = cv2.GaussianBlur(sharp, (0, 0), 6)
    dark = (sharp * 0.4).astype(np.uint8)
    assert sharpness_of(dark) == pytest.approx(sharpness_of(sharp), rel=0.15)
    assert weigh(80, sharpness_of(blurred), 1.0) < 0.5 * weigh(80, sharpness_of(sharp), 1.0)


def test_a_profile_weighs_less_than_a_frontal_face_and_no_landmarks_cost_nothing() -> None:
    frontal = np.array([[10, 10], [30, 10], [20, 20], [14, 30], [26, 30]], np.float32)
    profile = frontal + np.array([[0, 0], [0, 0], [11, 0], [6, 0], [4, 0]], np.float32)
    assert frontality_of(frontal) == 1.0 == frontality_of(None)
    assert frontality_of(profile) < 0.4
    turned = frontal @ np.array([[0.9, 0.44], [-0.44, 0.9]], np.float32)
    assert frontality_of(turned) == pytest.approx(1.0)
