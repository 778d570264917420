"""The pictures of a classifier's report: aggregated figures only, no faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from contract.people.verdicts import JUDGED_VERDICTS
from models.evaluation import scores
from models.evaluation.calibration import reliability
from models.evaluation.judged import JudgedFaces
from models.reporting.figures import drawing, save_curves


def draw_all(judged: JudgedFaces, threshold: float, out: Path) -> dict[str, str]:
    """Draw every picture into a folder; return file names and captions."""
    drawn = {
        "classifier_confusion.png": "Confusion matrix",
        "classifier_roc.png": "ROC curve",
        "classifier_reliability.png": "Reliability diagram",
        "classifier_risk_coverage.png": "Risk and coverage",
    }
    confusion, roc, diagram, risk = (out / name for name in drawn)
    draw_confusion(judged, confusion)
    draw_roc(judged, roc)
    draw_reliability(judged, diagram)
    draw_risk_coverage(judged, threshold, risk)
    return drawn


def draw_confusion(judged: JudgedFaces, path: Path) -> None:
    """Counts, coloured by the share of their row."""
    counts = scores.confusion(judged.probabilities.argmax(axis=1), judged.labels)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    with drawing(path, title="Confusion", x_label="judged", y_label="labelled") as axes:
        axes.grid(visible=False)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        ticks = range(len(JUDGED_VERDICTS))
        axes.set_xticks(ticks, JUDGED_VERDICTS)
        axes.set_yticks(ticks, JUDGED_VERDICTS)
        for row in ticks:
            for column in ticks:
                colour = "white" if shares[row, column] > 0.5 else "black"
                words = f"{counts[row, column]}\n{shares[row, column]:.1%}"
                axes.text(column, row, words, ha="center", va="center", color=colour)


def draw_roc(judged: JudgedFaces, path: Path) -> None:
    """Mask against no mask, with and without the faces too small to judge."""
    curves = {}
    for least_px in (0, 24):
        some = judged.where(judged.sizes_px >= least_px)
        shares, truth = scores.mask_or_not(some.probabilities, some.labels)
        name = f"{least_px} px and up, area {scores.area_under_roc(shares, truth):.4f}"
        curves[name] = tuple(rate.tolist() for rate in scores.roc_curve(shares, truth))
    save_curves(
        path,
        curves,
        title="Mask or no mask",
        x_label="bare faces called masked",
        y_label="masked faces called masked",
    )


def draw_reliability(judged: JudgedFaces, path: Path) -> None:
    """Accuracy over certainty; the size of a point is the number of its faces."""
    rows = reliability(judged.probabilities, judged.labels)
    certainty, right, counts = (np.array(column) for column in zip(*rows, strict=True))
    with drawing(path, title="Reliability", x_label="certainty", y_label="accuracy") as axes:
        axes.plot([0.3, 1], [0.3, 1], color="grey", linestyle="--", linewidth=1)
        axes.plot(certainty, right, linewidth=1)
        axes.scatter(certainty, right, s=12 + 250 * counts / counts.sum())


def draw_risk_coverage(judged: JudgedFaces, threshold: float, path: Path) -> None:
    """Plot the share of wrong answers over the share of faces answered, surest first."""
    curves = {
        name: scores.risk_coverage(some.probabilities, some.labels)
        for name, some in (
            ("all faces", judged),
            ("24 px and up", judged.where(judged.sizes_px >= 24)),
        )
        if len(some.labels)
    }
    words = {"title": "Risk and coverage", "x_label": "coverage", "y_label": "wrong answers"}
    with drawing(path, **words) as axes:  # type: ignore[arg-type]
        for name, (coverage, risk, certainty) in curves.items():
            axes.plot(coverage, risk, label=name, linewidth=1.4)
            answered = int((certainty >= threshold).sum())
            if answered:
                axes.scatter(coverage[answered - 1], risk[answered - 1], s=30, zorder=3)
        axes.plot([], [], "o", color="grey", label=f"threshold {threshold:.2f}")
