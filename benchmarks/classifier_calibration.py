"""How right and how honest the classifier is, and whether bare faces stay bare (J3, N5).

python -m benchmarks.classifier_calibration [--classifier FILE]

On `../shared/data/val`, of which nothing was trained on, and on the concourse clip, in which
nobody wears a mask: its frames go through the worker's own tracker and votes, as fast as they
come and at the default rate of 8 a second.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.faces_per_frame import read_frames
from benchmarks.scenes.classifier_data import LEAST_PX, labelled_faces, relabelled_faces
from benchmarks.scenes.offline import analyse
from benchmarks.system import clip, machine, print_result
from models.evaluation import scores
from models.evaluation.calibration import calibration_error
from models.evaluation.judged import JudgedFaces, judge
from models.evaluation.report import called_masked
from models.loading import load_classifier
from runtime.settings import load_settings
from worker.networks import load_networks

CLIP_FPS = 25.0
RESAMPLED = 1000
BETWEEN = (0.025, 0.975)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", type=Path, help="unset: the one that ships")
    options = parser.parse_args()
    print(machine())
    classifier = load_classifier("onnx", path=options.classifier)
    judged = judge(classifier, labelled_faces("val"))
    large = judged.sizes_px >= LEAST_PX
    corrected = judged.relabelled(relabelled_faces("val"))
    for name, some in (("as labelled", judged), ("five labels corrected", corrected)):
        print_figures(some.where(large & some.found), classifier.threshold, name)
    print_calibration(judged, large)
    print_wider(judged.where(large & (judged.sources == "wider")), classifier.threshold)
    for every in (1, 3):
        print_concourse(options.classifier, every)


def print_figures(judged: JudgedFaces, threshold: float, name: str) -> None:
    """The figures of J3, with what other samples of as many faces would give in 95 % of cases."""
    p, labels = judged.probabilities, judged.labels
    rng = np.random.default_rng(0)
    again = [rng.integers(len(labels), size=len(labels)) for _ in range(RESAMPLED)]
    between = np.quantile([scores.macro_f1(p[some], labels[some]) for some in again], BETWEEN)
    given = p.max(axis=1) >= threshold
    right = scores.hits(p, labels)[given].mean()
    error = calibration_error(p / p.sum(axis=1, keepdims=True), labels)
    for what, figure, unit, least in (
        ("macro-F1", scores.macro_f1(p, labels), f"between {between.round(3).tolist()}", 0.93),
        ("answered", given.mean(), "", 0.93),
        ("right of the answered", right, "", 0.985),
        ("1 - calibration error, as votes use it", 1 - error, "", 0.985),
    ):
        title = f"J3 {what}, {len(labels)} faces from {LEAST_PX} px that are found, {name}"
        print_result(title, round(float(figure), 4), unit, f">= {least}", bool(figure >= least))


def print_calibration(judged: JudgedFaces, large: npt.NDArray[np.bool_]) -> None:
    """The expected calibration error, of faces that serving can meet and of all."""
    groups = {
        f"{LEAST_PX} px and up, found by the detector": judged.where(large & judged.found),
        "all found by the detector": judged.where(judged.found),
        f"{LEAST_PX} px and up": judged.where(large),
        "all": judged,
    }
    for name, some in groups.items():
        error = calibration_error(some.probabilities, some.labels)
        title = f"N5 calibration error, {len(some.labels)} faces, {name}"
        print_result(title, round(error, 4), "", "<= 0.02", error <= 0.02)


def print_wider(judged: JudgedFaces, threshold: float) -> None:
    """How many bare faces of WIDER are called masked; an unsure verdict is none."""
    sure = judged.probabilities.max(axis=1) >= threshold
    masked = (judged.probabilities.argmax(axis=1) == scores.MASK) & sure
    for name, chosen in (("found by the detector", judged.found), ("all", judged.found | True)):
        share = float(masked[chosen].mean())
        title = f"N5 wider called masked from {threshold:.2f} on, {int(chosen.sum())} faces, {name}"
        print_result(title, round(share * 100, 2), "%", "<= 2", share <= 0.02)
        likeliest = called_masked(judged.where(chosen))
        print(f"  likeliest verdict mask, however unsure: {likeliest}")


def print_concourse(classifier: Path | None, every: int) -> None:
    """Verdicts of the people in the concourse clip, through the worker's tracker and votes."""
    settings = load_settings(classifier_path=classifier) if classifier else load_settings()
    seen = analyse(load_networks(settings), timed_frames(every))
    verdicts = Counter(person.verdict for person in seen.people)
    title = (
        f"N5 concourse tracks called masked, {len(seen.people)} people, {CLIP_FPS / every:.0f} fps"
    )
    print(f"  concourse: {dict(verdicts)}, {seen.faces} faces in all frames")
    print_result(title, verdicts["mask"], "people", "0", not verdicts["mask"])


def timed_frames(every: int) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    for number, frame in enumerate(read_frames(clip("concourse_1080p.mp4"))):
        if number % every == 0:
            yield 1e9 + number / CLIP_FPS, frame


if __name__ == "__main__":
    main()
