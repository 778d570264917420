"""The classifier on a source it never saw (result 3 of "Networks of our own").

python -m benchmarks.classifier_unseen_sources [--epochs 12] [--source ilc2021]...

For each source in turn: train without its photographs, then judge all of them, training and
validation part alike, as none was seen. The recipe is that of what ships; a run takes about 20
minutes on two cores. Runs are kept in `out/classifier/without_<source>`; a killed one goes on
where it was, a finished one is only judged again.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.scenes.classifier_data import LEAST_PX, OUT, labelled_faces
from benchmarks.system import machine, print_result
from models.evaluation import scores
from models.evaluation.calibration import calibration_error
from models.evaluation.judged import JudgedFaces, judge
from models.evaluation.report import write_report
from models.files import find_model
from models.labelled_faces import LabelledFace
from models.loading import load_classifier
from models.mask_classifier import MaskClassifier
from models.training.recipe import Recipe
from runtime.settings import load_settings

SOURCES = ("andrewmvd", "ilc2021", "piyoki")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", action="append", choices=SOURCES)
    parser.add_argument("--epochs", type=int, default=Recipe().epochs)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    print(machine())
    training, validation = labelled_faces("train"), labelled_faces("val")
    recipe = replace(Recipe(), epochs=options.epochs)
    for source in options.source or SOURCES:
        out = OUT / f"without_{source}"
        classifier = trained_without(source, training, recipe, out)
        unseen = [face for face in validation + training if face.source == source]
        judged = judge(classifier, unseen)
        write_report(judged, classifier, out / "report", title=f"Trained without {source}")
        parts = np.array([face.photograph.path.parts[-3] for face in unseen])
        large = judged.sizes_px >= LEAST_PX
        print_figures(source, judged.where(large & judged.found))
        for name, some in (
            ("and those the detector misses", judged.where(large)),
            ("val alone", judged.where(large & judged.found & (parts == "val"))),
        ):
            print(f"  {source}, {name}: {summary(some)}", flush=True)


def trained_without(
    source: str, faces: list[LabelledFace], recipe: Recipe, out: Path
) -> MaskClassifier:
    """Train, or go on, or take what is finished; as it would be served."""
    # Here, so that `--help` does not load TensorFlow.
    from models.training.export import export_run
    from models.training.train import train_classifier

    backbone = find_model("mobilenet-v2-imagenet", load_settings().where_models_are)
    known = [face for face in faces if face.source != source]
    train_classifier(known, recipe, out, backbone=backbone)
    network, *_ = export_run(out, out / "files")
    return load_classifier("onnx", path=network)


def print_figures(source: str, judged: JudgedFaces) -> None:
    """The result's four figures, as lines of JSON."""
    p, labels = judged.probabilities, judged.labels
    binary = scores.mask_accuracy(p, labels)
    area = scores.area_under_roc(*scores.mask_or_not(p, labels))
    f1 = scores.macro_f1(p, labels)
    surest = scores.accuracy_at_coverage(p, labels, 0.95)
    name = f"N3 {source} unseen, {len(labels)} faces"
    _print(f"{name}: mask or no mask {binary}", binary.rate * 100, "%", 98)
    _print(f"{name}: area under ROC", area, "", 0.995)
    _print(f"{name}: macro-F1", f1, "", 0.93)
    _print(f"{name}: accuracy at 95 % coverage {surest}", surest.rate * 100, "%", 99)


def summary(judged: JudgedFaces) -> str:
    p, labels = judged.probabilities, judged.labels
    return (
        f"{len(labels)} faces, mask or no mask {scores.mask_accuracy(p, labels)}, area "
        f"{scores.area_under_roc(*scores.mask_or_not(p, labels)):.4f}, macro-F1 "
        f"{scores.macro_f1(p, labels):.3f}, at 95 % coverage "
        f"{scores.accuracy_at_coverage(p, labels, 0.95)}, calibration error "
        f"{calibration_error(p, labels):.3f}"
    )


def _print(name: str, figure: float, unit: str, least: float) -> None:
    print_result(name, round(figure, 4), unit, f">= {least}", figure >= least)


if __name__ == "__main__":
    main()
