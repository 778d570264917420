"""The classifier on sources it never saw (J3).

python -m benchmarks.classifier_unseen_sources [--together] [--epochs 12] [--parts 40]
    [--source ilc2021]...

For each source in turn: train and refine without its photographs, then judge all of them, training
and validation part alike, as none was seen. With `--together` all the sources are left out of one
run, which learns less but takes a third of the time. The recipe is that of what ships; a run takes
about 35 minutes on two cores. Runs are kept in `out/classifier/without_<source>`; a killed one goes
on where it was, a finished one is only judged again.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.scenes.classifier_data import LEAST_PX, OUT, labelled_faces, relabelled_faces
from benchmarks.system import machine, print_result
from models.evaluation import scores
from models.evaluation.calibration import calibration_error
from models.evaluation.judged import JudgedFaces, judge
from models.files import find_model
from models.labelled_faces import LabelledFace
from models.loading import load_classifier
from models.mask_classifier import MaskClassifier
from models.training.recipe import Recipe
from runtime.settings import load_settings

SOURCES = ("andrewmvd", "ilc2021", "piyoki")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", action="append", choices=SOURCES)
    parser.add_argument("--together", action="store_true", help="leave them out of one run")
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    parser.add_argument("--parts", type=int, help="of 1024 varied faces, for the refinement")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    print(machine())
    sources = tuple(options.source or SOURCES)
    validation, known = labelled_faces("val"), labelled_faces("train")
    recipe = replace(Recipe(), epochs=options.epochs)
    for without in (sources,) if options.together else tuple((one,) for one in sources):
        classifier = learnt_without(without, known, recipe, options.parts)
        for source in without:
            unseen = [face for face in validation + known if face.source == source]
            print_source(source, unseen, classifier)


def learnt_without(
    sources: Sequence[str], faces: list[LabelledFace], recipe: Recipe, parts: int | None
) -> MaskClassifier:
    """Train and refine, or go on, or take what is finished; as it would be served."""
    # Here, so that `--help` does not load TensorFlow.
    from models.training.export import export_run
    from models.training.refine import Refinement, refine_classifier
    from models.training.train import CALIBRATION_NAME, train_classifier

    trained = OUT / f"without_{'_'.join(sources)}"
    refined = trained / "refined"
    backbone = find_model("mobilenet-v2-imagenet", load_settings().where_models_are)
    seen = [face for face in faces if face.source not in sources]
    start = train_classifier(seen, recipe, trained, backbone=backbone)
    if not (refined / CALIBRATION_NAME).is_file():
        more = [f for f in relabelled_faces("train", "more") if f.source not in sources]
        refinement = replace(Refinement(), parts=parts) if parts else Refinement()
        refine_classifier(more, start, refined, recipe=recipe, refinement=refinement)
    network, *_ = export_run(refined, refined / "files")
    return load_classifier("onnx", path=network)


def print_source(source: str, unseen: list[LabelledFace], classifier: MaskClassifier) -> None:
    """Judge all faces of a source, and print what came out."""
    judged = judge(classifier, unseen)
    parts = np.array([face.photograph.path.parts[-3] for face in unseen])
    large = judged.sizes_px >= LEAST_PX
    print_figures(source, judged.where(large & judged.found), classifier.threshold)
    for name, some in (
        ("and those the detector misses", judged.where(large)),
        ("val alone", judged.where(large & judged.found & (parts == "val"))),
    ):
        print(f"  {source}, {name}: {summary(some)}", flush=True)


def print_figures(source: str, judged: JudgedFaces, threshold: float) -> None:
    """The result's figures, as lines of JSON."""
    p, labels = judged.probabilities, judged.labels
    binary = scores.mask_accuracy(p, labels)
    area = scores.area_under_roc(*scores.mask_or_not(p, labels))
    f1 = scores.macro_f1(p, labels)
    surest = scores.accuracy_at_coverage(p, labels, 0.95)
    name = f"J3 {source} unseen, {len(labels)} faces"
    _print(f"{name}: mask or no mask {binary}", binary.rate * 100, "%", 98)
    _print(f"{name}: area under ROC", area, "", 0.995)
    _print(f"{name}: macro-F1", f1, "", 0.93)
    _print(f"{name}: accuracy at 95 % coverage {surest}", surest.rate * 100, "%", 99)
    answered = p.max(axis=1) >= threshold
    right = (p.argmax(axis=1) == labels)[answered].mean()
    _print(f"{name}: answered", float(answered.mean()), "", 0.93)
    _print(f"{name}: right of the answered", float(right), "", 0.985)
    error = calibration_error(p / p.sum(axis=1, keepdims=True), labels)
    _print(f"{name}: calibration error, as votes use it", error, "", 0.015, most=True)


def summary(judged: JudgedFaces) -> str:
    p, labels = judged.probabilities, judged.labels
    return (
        f"{len(labels)} faces, mask or no mask {scores.mask_accuracy(p, labels)}, area "
        f"{scores.area_under_roc(*scores.mask_or_not(p, labels)):.4f}, macro-F1 "
        f"{scores.macro_f1(p, labels):.3f}, at 95 % coverage "
        f"{scores.accuracy_at_coverage(p, labels, 0.95)}, calibration error "
        f"{calibration_error(p, labels):.3f}"
    )


def _print(name: str, figure: float, unit: str, bound: float, *, most: bool = False) -> None:
    met = figure <= bound if most else figure >= bound
    print_result(name, round(figure, 4), unit, f"{'<=' if most else '>='} {bound}", met)


if __name__ == "__main__":
    main()
