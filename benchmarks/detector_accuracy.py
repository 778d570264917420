"""The face detector on labelled photographs, against YuNet in the same run.

python -m benchmarks.detector_accuracy [--data ../shared/data/val] [--side-px 640]

Average precision by source and recall of small faces, at an overlap of 0.4; the rules are in
`face_detector.evaluation.accuracy`. Needs a set of photographs and YuNet's file.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from benchmarks.system import SHARED, machine, print_result
from face_detector.evaluation.accuracy import average_precision, recall_by_size
from face_detector.evaluation.contenders import load_contenders
from face_detector.evaluation.measure import Measured, measure
from models.coco import read_photographs
from runtime.settings import load_settings

NEVER_TRAINED_ON: Final = "wider"
BEST_LABELLED: Final = "andrewmvd"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "val")
    parser.add_argument("--side-px", type=int, default=640)
    options = parser.parse_args()
    data = read_photographs(options.data)
    models_dir = load_settings().where_models_are
    contenders, missing = load_contenders(("maskwatch", "yunet"), models_dir, options.side_px)
    if missing:
        raise SystemExit("; ".join(missing))
    print(f"{len(data.photographs)} photographs at {options.side_px} px, {machine()}")
    ours, yunet = measure(contenders, data.photographs, options.side_px)
    for source in sorted({photograph.source for photograph in data.photographs}):
        compare(ours, yunet, source)


def compare(ours: Measured, yunet: Measured, source: str) -> None:
    """Print the results of one source."""
    there = average_precision(yunet.of_source(source))
    here = average_precision(ours.of_source(source))
    allowed = there - 0.02 if source == NEVER_TRAINED_ON else there
    wanted = max(allowed, 0.9) if source == BEST_LABELLED else allowed
    target = f">= {wanted:.4f} (YuNet: {there:.4f})"
    # Equal counts of faces may differ in the last bits of a float.
    print_result(f"N1 AP on {source}", round(here, 4), "AP", target, here >= wanted - 1e-6)
    if source == BEST_LABELLED:
        score = ours.contender.operating_score
        found, faces = recall_by_size(ours.of_source(source), score)[0]
        title = f"N1 recall of {faces} faces of 8-16 px on {source}, score from {score:g}"
        rate = found / faces if faces else 0.0
        print_result(title, round(rate * 100, 1), "%", ">= 70", rate >= 0.7)


if __name__ == "__main__":
    main()
