"""Calibrates probabilities, and chooses the threshold below which a verdict is `unknown`."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from models.evaluation.scores import Labels, Probabilities, hits, risk_coverage
from models.mask_classifier import SURE

BINS: Final = 15
"""Guo et al., "On Calibration of Modern Neural Networks" (2017)."""
WORTH_ANSWERING: Final = 0.5
"""Smallest threshold: a verdict must be more likely than all others together."""


def softmax(logits: npt.NDArray[np.float32], temperature: float = 1.0) -> Probabilities:
    """(..., N, C) logits to probabilities."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def of_views(logits: npt.NDArray[np.float32], temperature: float) -> Probabilities:
    """(2, N, C) logits of faces as they are and in a mirror to the answers served, (N, C)."""
    first, mirrored = softmax(logits, temperature)
    unsure = first.max(axis=-1, keepdims=True) < SURE
    return np.asarray(np.where(unsure, (first + mirrored) / 2, first), np.float32)


def fit_temperature(logits: npt.NDArray[np.float32], labels: Labels) -> float:
    """Return the divisor of the logits that makes the labels most likely (Guo et al., 2017).

    logits: (2, N, C), as in `of_views`; here every face has both views, for a smooth loss.
    """

    def loss(log_temperature: float) -> float:
        likely = softmax(logits, float(np.exp(log_temperature))).mean(axis=0)
        chosen = likely[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    fit = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return float(np.exp(fit.x))


def calibration_error(probabilities: Probabilities, labels: Labels, bins: int = BINS) -> float:
    """Return the expected calibration error: the mean gap of certainty and accuracy."""
    rows = reliability(probabilities, labels, bins)
    return float(sum(count * abs(certainty - right) for certainty, right, count in rows)) / max(
        len(labels), 1
    )


def reliability(
    probabilities: Probabilities, labels: Labels, bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Return (mean certainty, accuracy, faces) of each bin with faces."""
    certainty = probabilities.max(axis=1).astype(np.float64)
    right = hits(probabilities, labels)
    numbers = np.minimum((certainty * bins).astype(int), bins - 1)
    return [
        (float(certainty[numbers == b].mean()), float(right[numbers == b].mean()), int(count))
        for b, count in zip(*np.unique(numbers, return_counts=True), strict=True)
    ]


def choose_threshold(probabilities: Probabilities, labels: Labels, accepted_risk: float) -> float:
    """Return the least certainty of a verdict: the threshold with the most coverage at that risk.

    From the risk-coverage curve (El-Yaniv and Wiener, 2010): the largest coverage at which at
    most `accepted_risk` of the answers are wrong.
    """
    _, risk, certainty = risk_coverage(probabilities, labels)
    good = np.flatnonzero(risk <= accepted_risk)
    if not len(good):
        return float(certainty[0]) if len(certainty) else 1.0
    return max(WORTH_ANSWERING, float(certainty[good[-1]]))
