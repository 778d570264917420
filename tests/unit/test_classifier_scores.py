"""Figures of a classifier against small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation import scores
from models.evaluation.calibration import (
    calibration_error,
    choose_threshold,
    fit_temperature,
    reliability,
    softmax,
)

MASK, INCORRECT, NO_MASK = range(3)
P = np.array([[0.9, 0.05, 0.05], [0.2, 0.2, 0.6], [0.1, 0.7, 0.2], [0.55, 0.05, 0.4]], np.float32)
LABELS = np.array([MASK, NO_MASK, INCORRECT, NO_MASK])


def test_accuracy_counts_the_likeliest_verdict() -> None:
    assert (scores.accuracy(P, LABELS).hits, scores.accuracy(P, LABELS).total) == (3, 4)


def test_mask_or_not_leaves_incorrect_out() -> None:
    share = scores.mask_accuracy(P, LABELS)

    assert (share.hits, share.total) == (2, 3)
    lowered = np.array([[0.1, 0.6, 0.3]], np.float32)
    assert scores.mask_accuracy(lowered, np.array([NO_MASK])).rate == 1.0


def test_the_area_under_roc_is_the_share_of_pairs_in_order() -> None:
    values = np.array([0.9, 0.4, 0.4, 0.1])
    truth = np.array([True, True, False, False])

    assert scores.area_under_roc(values, truth) == pytest.approx(3.5 / 4)
    false, found = scores.roc_curve(values, truth)
    assert (false[0], found[0], false[-1], found[-1]) == (0, 0, 1, 1)
    assert np.isnan(scores.area_under_roc(values, np.ones(4, bool)))


def test_macro_f1_is_the_mean_over_labels_that_occur() -> None:
    mask_f1, incorrect_f1, bare_f1 = 2 / 3, 1.0, 2 / 3

    assert scores.macro_f1(P, LABELS) == pytest.approx((mask_f1 + incorrect_f1 + bare_f1) / 3)
    assert scores.macro_f1(P[:1], LABELS[:1]) == 1.0


def test_the_confusion_matrix_has_labels_in_rows() -> None:
    assert scores.confusion(P.argmax(axis=1), LABELS).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]


def test_the_least_sure_are_left_out_first() -> None:
    coverage, risk, certainty = scores.risk_coverage(P, LABELS)

    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == [0, 0, 0, 0.25]
    assert certainty.tolist() == pytest.approx([0.9, 0.7, 0.6, 0.55])
    assert scores.accuracy_at_coverage(P, LABELS, 0.75).rate == 1.0


def test_the_threshold_gives_the_most_coverage_at_the_accepted_risk() -> None:
    assert choose_threshold(P, LABELS, 0.01) == pytest.approx(0.6)
    assert choose_threshold(P, LABELS, 0.5) == pytest.approx(0.55)
    hopeless = np.array([NO_MASK, MASK, MASK, MASK])
    assert choose_threshold(P, hopeless, 0.01) == pytest.approx(0.9)


def test_a_temperature_makes_overconfident_logits_honest() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (4000, 3)).astype(np.float32)
    honest = softmax(logits)
    labels = np.array([rng.choice(3, p=row / row.sum()) for row in honest.astype(np.float64)])
    boasting = logits * np.float32(3)

    temperature = fit_temperature(np.stack([boasting, boasting]), labels)

    assert temperature == pytest.approx(3, rel=0.1)
    assert calibration_error(softmax(boasting), labels) > 0.1
    assert calibration_error(softmax(boasting, temperature), labels) < 0.03


def test_reliability_bins_hold_every_face_once() -> None:
    rows = reliability(P, LABELS, bins=2)

    assert rows == [(pytest.approx(np.mean([0.9, 0.6, 0.7, 0.55])), 0.75, 4)]
    assert calibration_error(P, LABELS, bins=2) == pytest.approx(0.75 - 0.6875)
