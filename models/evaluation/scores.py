"""Figures of a classifier from its probabilities, (N, 3) float32, and labels, (N,) int64.

Both in the order of `JUDGED_VERDICTS`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from contract.people.verdicts import JUDGED_VERDICTS
from models.reporting.intervals import Share

MASK: Final = JUDGED_VERDICTS.index("mask")
NO_MASK: Final = JUDGED_VERDICTS.index("no_mask")

Probabilities = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def hits(probabilities: Probabilities, labels: Labels) -> npt.NDArray[np.bool_]:
    """Whether each most probable verdict equals the label: (N,) bool."""
    return np.asarray(probabilities.argmax(axis=1) == labels)


def accuracy(probabilities: Probabilities, labels: Labels) -> Share:
    """The share of right verdicts among three."""
    return Share(int(hits(probabilities, labels).sum()), len(labels))


def mask_or_not(
    probabilities: Probabilities, labels: Labels
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return, for faces labelled mask or no_mask, the relative probability of mask and the label.

    The share is p(mask) / (p(mask) + p(no_mask)), which leaves *incorrect* out of the question.
    """
    chosen = (labels == MASK) | (labels == NO_MASK)
    masked, bare = (probabilities[chosen, i].astype(np.float64) for i in (MASK, NO_MASK))
    return masked / np.maximum(masked + bare, 1e-12), labels[chosen] == MASK


def mask_accuracy(probabilities: Probabilities, labels: Labels) -> Share:
    """Return the accuracy between mask and no_mask, of the faces labelled as one of them."""
    shares, truth = mask_or_not(probabilities, labels)
    return Share(int(((shares >= 0.5) == truth).sum()), len(truth))


def area_under_roc(scores: Floats, truth: npt.NDArray[np.bool_]) -> float:
    """Return how often a positive outranks a negative (Mann-Whitney); NaN without both."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def roc_curve(scores: Floats, truth: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """False and true positive rates at every threshold, from strict to lax."""
    order = np.argsort(-scores, kind="stable")
    found = np.concatenate([[0], np.cumsum(truth[order])])
    false = np.concatenate([[0], np.cumsum(~truth[order])])
    return false / max(int(false[-1]), 1), found / max(int(found[-1]), 1)


def confusion(verdicts: npt.NDArray[np.int64], labels: Labels) -> npt.NDArray[np.int64]:
    """(3, 3) counts: labelled by row, judged by column."""
    counts = np.zeros((len(JUDGED_VERDICTS),) * 2, np.int64)
    np.add.at(counts, (labels, verdicts), 1)
    return counts


def macro_f1(probabilities: Probabilities, labels: Labels) -> float:
    """Mean F1 of the labels that occur."""
    counts = confusion(probabilities.argmax(axis=1), labels)
    right = np.diag(counts)
    f1 = 2 * right / np.maximum(counts.sum(axis=0) + counts.sum(axis=1), 1)
    return float(f1[counts.sum(axis=1) > 0].mean()) if len(labels) else float("nan")


def risk_coverage(probabilities: Probabilities, labels: Labels) -> tuple[Floats, Floats, Floats]:
    """Return, from the surest face on: coverage, share of wrong verdicts, last certainty."""
    certainty = probabilities.max(axis=1).astype(np.float64)
    order = np.argsort(-certainty, kind="stable")
    wrong = np.cumsum(~hits(probabilities, labels)[order])
    counted = np.arange(1, len(labels) + 1)
    return counted / max(len(labels), 1), wrong / counted, certainty[order]


def accuracy_at_coverage(probabilities: Probabilities, labels: Labels, coverage: float) -> Share:
    """The share of right verdicts among the surest `coverage` of the faces."""
    answered = round(coverage * len(labels))
    surest = np.argsort(-probabilities.max(axis=1), kind="stable")[:answered]
    return accuracy(probabilities[surest], labels[surest])
