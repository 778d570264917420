"""The face detector at each width: accuracy, dark faces, false faces, and cost (J2).

python -m benchmarks.detector_widths [--data ../shared/data/val] [--rounds 30]

Each photograph's longer side is scaled to the width. Two average precisions a source: of the faces
from the operating threshold on, and of the whole curve. A face is dark if its mean grey value is
below 80. Cost: CPU time of a 1080p frame with scaling and decoding, in turns, one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.system import SHARED, machine, print_result
from contract.cameras.detector_width import WIDTHS_PX
from face_detector.detection import FaceDetector
from face_detector.evaluation.accuracy import Judged, average_precision, judge
from face_detector.evaluation.contenders import load_contenders
from face_detector.evaluation.measure import Measured, measure
from face_detector.loading import load_detector
from models.coco import Photograph, read_photographs
from runtime.settings import load_settings

DARK_BELOW: Final = 80.0
MOST_POINTS: Final = 3.0
"""Percentage points by which dark faces may be missed more often."""
SIZES_PX: Final = (0, 16, 32, 500, np.inf)


@dataclass(frozen=True)
class Faces:
    """Labelled faces of photographs, all `(F,)`: found at the threshold, mean grey value, size."""

    found: npt.NDArray[np.bool_]
    grey: npt.NDArray[np.float32]
    size_px: npt.NDArray[np.float32]

    def missed(self, of: npt.NDArray[np.bool_]) -> float:
        """Percent of some that were missed."""
        return round(100 * float(1 - self.found[of].mean()), 1) if of.any() else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "val")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    photographs = read_photographs(options.data).photographs
    greys = {one.file_name: grey_values(one) for one in photographs}
    print(f"{len(photographs)} photographs, {machine()}", flush=True)
    most_wrong = None
    for width in WIDTHS_PX:
        contenders, missing = load_contenders(
            ("maskwatch",), load_settings().where_models_are, width
        )
        if missing:
            raise SystemExit("; ".join(missing))
        measured = measure(contenders, photographs, width)[0]
        wrong = report(width, measured, greys, most_wrong)
        most_wrong = wrong if most_wrong is None else most_wrong
    costs = cost_by_width(options.rounds)
    ratios = {width: round(cost / costs[WIDTHS_PX[0]], 2) for width, cost in costs.items()}
    print_result("J2 CPU time of a 1080p frame by width", ratios, "times 640", "stated", True)


def report(
    width: int, measured: Measured, greys: dict[str, list[float]], most_wrong: int | None
) -> int:
    """Print the figures of one width; return its false faces, of which `most_wrong` may be."""
    threshold = measured.contender.operating_score
    pairs = zip(measured.judged, measured.detections, strict=True)
    served = [judge(one.photograph, found.where(found.scores >= threshold)) for one, found in pairs]
    sources = sorted({one.photograph.source for one in served})
    precisions = {
        source: [precision_of(some, source) for some in (served, measured.judged)]
        for source in [*sources, "all"]
    }
    print_result(f"J2 AP at {width} px", precisions, f"from {threshold:g}, whole", "stated", True)
    wrong = int(sum((~one.right).sum() for one in served))
    few = most_wrong is None or wrong <= most_wrong
    print_result(f"J2 false faces at {width} px", wrong, "detections", f"<= {most_wrong}", few)
    faces = faces_of(served, greys)
    for least in (0, 32):
        large, dark = faces.size_px >= least, faces.grey < DARK_BELOW
        rates = faces.missed(dark & large), faces.missed(~dark & large)
        print_result(
            f"J2 missed of {int((dark & large).sum())} dark faces from {least} px at {width} px",
            {"dark": rates[0], "others": rates[1]},
            "%",
            f"at most {MOST_POINTS:g} points more",
            rates[0] - rates[1] <= MOST_POINTS,
        )
    print_result(f"J2 missed by size at {width} px", by_size(faces), "%", "stated", True)
    return wrong


def precision_of(judged: Sequence[Judged], source: str) -> float:
    """Average precision on a source, or on "all"."""
    some = [one for one in judged if source in ("all", one.photograph.source)]
    return round(average_precision(some), 3)


def faces_of(judged: Sequence[Judged], greys: dict[str, list[float]]) -> Faces:
    """Return the labelled faces of photographs, crowds left out."""
    return Faces(
        np.concatenate([one.found > 0 for one in judged]),
        np.concatenate([np.array(greys[one.photograph.file_name], np.float32) for one in judged]),
        np.concatenate([one.sizes_px for one in judged]),
    )


def by_size(faces: Faces) -> dict[str, Any]:
    """Percent missed, and the number of faces, by size in the photograph."""
    missed = {}
    for low, high in pairwise(SIZES_PX):
        group = (faces.size_px >= low) & (faces.size_px < high)
        missed[f"{low:g} to {high:g} px"] = [faces.missed(group), int(group.sum())]
    return missed


def grey_values(photograph: Photograph) -> list[float]:
    """Return the mean grey value of each labelled face that is no crowd."""
    grey = cv2.cvtColor(photograph.read(), cv2.COLOR_BGR2GRAY)
    corners = np.maximum(photograph.boxes[~photograph.crowds], 0).astype(int).tolist()
    return [float(grey[y : v + 1, x : u + 1].mean()) for x, y, u, v in corners]


def cost_by_width(rounds: int) -> dict[int, float]:
    """Median milliseconds of CPU of a 1080p frame by width."""
    frame = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    detector: FaceDetector = load_detector("maskwatch", device="cpu", threads=1)
    times: dict[int, list[float]] = {width: [] for width in WIDTHS_PX}
    for _ in range(rounds):
        for width, spent in times.items():
            began = time.process_time()
            detector.detect([frame], width)
            spent.append((time.process_time() - began) * 1e3)
    return {width: float(np.median(spent)) for width, spent in times.items()}


if __name__ == "__main__":
    main()
