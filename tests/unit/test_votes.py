"""Evidence becomes a verdict, and a verdict does not flicker."""

from __future__ import annotations

import numpy as np
import pytest

from worker.votes import Votes, face_weight

MASK = np.array([0.9, 0.05, 0.05], np.float32)
NO_MASK = np.array([0.05, 0.05, 0.9], np.float32)
UNSURE = np.array([0.34, 0.33, 0.33], np.float32)


def gathered(*faces: tuple[np.ndarray, float]) -> Votes:
    votes = Votes()
    for probabilities, height_px in faces:
        votes = votes.add(probabilities, height_px)
    return votes


def test_one_large_clear_face_is_enough_for_a_verdict() -> None:
    votes = gathered((MASK, 80))
    assert votes.verdict == "mask"
    assert votes.confidence == pytest.approx(0.9, abs=1e-3)


def test_nothing_seen_and_nothing_clear_is_unknown() -> None:
    assert Votes().verdict == "unknown"
    assert Votes().confidence == 0
    assert gathered((UNSURE, 80), (UNSURE, 80)).verdict == "unknown"


def test_a_face_too_small_to_judge_says_nothing() -> None:
    assert gathered((MASK, 10), (MASK, 19)).verdict == "unknown"


def test_one_contrary_frame_does_not_change_a_verdict() -> None:
    assert gathered((MASK, 60), (MASK, 60), (NO_MASK, 60)).verdict == "mask"


def test_lasting_contrary_evidence_does() -> None:
    assert gathered((MASK, 60), *[(NO_MASK, 60)] * 4).verdict == "no_mask"


def test_evidence_divided_evenly_is_unknown() -> None:
    assert gathered((MASK, 60), *[(NO_MASK, 60), (MASK, 60)] * 3, (NO_MASK, 60)).verdict == (
        "unknown"
    )


def test_a_face_judged_with_little_confidence_is_unknown() -> None:
    assert gathered(*[(np.array([0.6, 0.2, 0.2], np.float32), 60)] * 3).verdict == "unknown"


def test_a_verdict_settles_only_on_agreeing_evidence() -> None:
    assert gathered(*[(MASK, 60)] * 3).settled
    assert not gathered(*[(MASK, 60), (NO_MASK, 60)] * 3).settled


def test_larger_faces_weigh_more_up_to_one() -> None:
    weights = [face_weight(height) for height in (5, 20, 24, 40, 56, 300)]
    assert weights == sorted(weights)
    assert weights[0] == 0
    assert weights[-1] == 1
