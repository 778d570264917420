"""A report on face detectors: tables in Markdown, curves as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2

from face_detector.evaluation.accuracy import (
    MATCH_IOU,
    SIZES_PX,
    Judged,
    average_precision,
    judge,
    precision_recall,
    recall_by_size,
)
from face_detector.evaluation.contenders import LEAST_SCORE
from face_detector.evaluation.measure import Measured
from face_detector.evaluation.mistakes import mistakes_sheet, worst_mistakes
from face_detector.evaluation.predictions import write_predictions
from models.coco import PhotographSet
from models.reporting.figures import save_curves
from models.reporting.intervals import Share
from models.reporting.tables import markdown_table

REPORT_NAME: Final = "detector.md"
PREDICTIONS_NAME: Final = "predictions.json"
MISTAKES_NAME: Final = "detector_mistakes.png"
RULES: Final = f"""A detection is right when it overlaps a labelled face that no surer one took by
an intersection over union of at least {MATCH_IOU}. In photographs flagged `incomplete_bg` some
faces have no box: there, a detection without a labelled face counts neither as right nor as wrong
(its label may be missing); so it does inside a box that holds a crowd. *Strict* counts every such
detection as wrong. Average precision (AP) is the area under the precision-recall curve, all
scores from {LEAST_SCORE:g}. Sizes are the square root of a labelled box's area."""


def write_report(
    measured: Sequence[Measured],
    data: PhotographSet,
    out: Path,
    *,
    side_px: int,
    missing: Sequence[str] = (),
    machine: str = "",
) -> Path:
    """Write the report and its pictures into `out`; the first detector is the one of interest.

    Its detections go to predictions.json and its mistakes to a contact sheet, which shows
    faces. Returns the report's path.
    """
    out.mkdir(parents=True, exist_ok=True)
    ours = measured[0]
    names = [one.contender.name for one in measured]
    sources = sorted({photograph.source for photograph in data.photographs})
    faces = sum(int((~photograph.crowds).sum()) for photograph in data.photographs)
    pictures = _draw_curves(measured, sources, out)
    parts = [
        f"# Face detectors on {data.folder.resolve().name}",
        f"{len(data.photographs)} photographs, {faces} faces. Every detector gets every photograph "
        f"with its longer side at {side_px} px (`ssd`, `aizoo` and `rfb640-masked` then squeeze it "
        f"to their own 300x300, 260x260 and 640x480). {RULES}",
        *(f"Left out: {words}" for words in missing),
        "## Average precision by source",
        _precision_table(measured, sources),
        f"Milliseconds are medians an image from the same run, one image at a time{machine}.",
        *(f"![{picture.stem}]({picture.name})" for picture in pictures),
        f"## Recall of `{names[0]}` by size of face in the photograph",
        _size_table(ours, sources, scaled=None),
        f"The same by size at {side_px} px, as the network sees it:",
        _size_table(ours, sources, scaled=side_px),
        "## Recall by size of face in the photograph, every detector, all sources",
        _size_comparison(measured),
        f"## Precision and recall of `{names[0]}` by threshold",
        _threshold_table(ours),
    ]
    path = out / REPORT_NAME
    path.write_text("\n\n".join(parts) + "\n")
    found = zip(data.photographs, ours.detections, strict=True)
    write_predictions(out / PREDICTIONS_NAME, ((p, detections, None) for p, detections in found))
    cv2.imwrite(str(out / MISTAKES_NAME), mistakes_sheet(worst_mistakes(ours)))
    return path


def _precision_table(measured: Sequence[Measured], sources: Sequence[str]) -> str:
    header = ["source", "photographs", "faces", *(one.contender.name for one in measured)]
    rows = []
    for source in sources:
        judged = [one.of_source(source) for one in measured]
        faces = sum(len(one.found) for one in judged[0])
        scores = [f"{average_precision(each):.3f}" for each in judged]
        rows.append([source, str(len(judged[0])), str(faces), *scores])
    photographs = len(measured[0].judged)
    faces = sum(len(one.found) for one in measured[0].judged)
    everything = [f"{average_precision(one.judged):.3f}" for one in measured]
    rows.append(["all", str(photographs), str(faces), *everything])
    strict = [f"{average_precision(_strictly(one)):.3f}" for one in measured]
    rows.append(["all, strict", str(photographs), str(faces), *strict])
    rows.append(["ms an image", "", "", *(f"{one.median_ms:.1f}" for one in measured)])
    return markdown_table(header, rows)


def _strictly(one: Measured) -> list[Judged]:
    return [
        judge(judged.photograph, found, lenient=False)
        for judged, found in zip(one.judged, one.detections, strict=True)
    ]


def _size_table(one: Measured, sources: Sequence[str], *, scaled: int | None) -> str:
    score = one.contender.operating_score
    header = ["source, score from " + format(score, "g"), *_size_names()]
    rows = [[source, *_shares(one.of_source(source), score, scaled)] for source in sources]
    rows.append(["all", *_shares(one.judged, score, scaled)])
    return markdown_table(header, rows)


def _shares(judged: Sequence[Judged], score: float, scaled: int | None) -> list[str]:
    return [
        f"{found}/{every}: {Share(found, every)}" if every else "-"
        for found, every in recall_by_size(judged, score, scaled)
    ]


def _size_comparison(measured: Sequence[Measured]) -> str:
    rows = []
    for one in measured:
        for score in sorted({LEAST_SCORE, one.contender.operating_score}):
            shares = recall_by_size(one.judged, score)
            cells = [f"{Share(found, every).rate:.1%}" if every else "-" for found, every in shares]
            rows.append([one.contender.name, f"{score:g}", *cells])
    return markdown_table(["detector", "score from", *_size_names()], rows)


def _threshold_table(one: Measured) -> str:
    precision, recall, scores = precision_recall(one.judged)
    rows = []
    for threshold in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        taken = int((scores >= threshold).sum())
        if taken:
            cells = [f"{precision[taken - 1]:.3f}", f"{recall[taken - 1]:.3f}"]
            rows.append([f"{threshold:g}", *cells])
    return markdown_table(["score from", "precision", "recall"], rows)


def _draw_curves(measured: Sequence[Measured], sources: Sequence[str], out: Path) -> list[Path]:
    """One picture of all photographs together and one of each source."""
    paths = []
    for source in (None, *sources):
        curves = {}
        for one in measured:
            judged = one.judged if source is None else one.of_source(source)
            precision, recall, _ = precision_recall(judged)
            name = f"{one.contender.name} ({average_precision(judged):.3f})"
            curves[name] = recall.tolist(), precision.tolist()
        path = out / f"precision_recall_{source or 'all'}.png"
        title = f"Precision and recall, {source or 'all sources'} (AP)"
        save_curves(path, curves, title=title, x_label="recall", y_label="precision")
        paths.append(path)
    return paths


def _size_names() -> list[str]:
    edges = [int(edge) for edge in SIZES_PX[:-1]]
    return [*(f"{low}-{high} px" for low, high in pairwise(edges)), f"{edges[-1]} px and more"]
