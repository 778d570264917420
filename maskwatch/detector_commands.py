"""`maskwatch train detector`, `evaluate detector`, `evaluate pipeline`, `export detector`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from runtime.logs import configure_logging
from runtime.settings import load_settings

FOLDER: Final = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--data", type=FOLDER, required=True, help="images/ and annotations.json (COCO).")
@click.option("--out", type=FOLDER, default=Path("out/detector"), show_default=True)
@click.option(
    "--begin-with",
    type=click.Choice(["yunet", "maskwatch", "nothing"]),
    default="yunet",
    show_default=True,
    help="Initial weights: YuNet's, Maskwatch's own, or none.",
)
@click.option("--labels-only", is_flag=True, help="Do not let YuNet add faces that have no label.")
@click.option("--epochs", type=click.IntRange(1))
@click.option("--steps", type=click.IntRange(1), help="Batches per epoch.")
@click.option("--batch-size", type=click.IntRange(1))
@click.option("--side-px", type=click.IntRange(64), help="Side of a crop, a multiple of 32.")
@click.option("--judged-px", type=click.IntRange(64), help="Longer side of held-out photographs.")
@click.option("--peak-learning-rate", type=click.FloatRange(0, min_open=True))
@click.option("--mixed-precision", is_flag=True, default=None, help="16 bits, for a GPU.")
@click.option("--seed", type=int)
def train(data: Path, out: Path, begin_with: str, labels_only: bool, **numbers: Any) -> None:
    """Train the face detector on labelled photographs.

    If the command is stopped or killed, run it again: it continues after the last complete epoch.
    It writes the best weights and a picture of the learning curves. `maskwatch export detector`
    turns the weights into the file that workers load.
    """
    settings = load_settings()
    configure_logging("train", settings.log_level, settings.log_format)
    from models.coco import read_photographs
    from models.files import find_model

    photographs = read_photographs(data)
    models_dir = settings.where_models_are
    names = {"yunet": "yunet", "maskwatch": "face-detector"}
    weights = find_model(names[begin_with], models_dir) if begin_with in names else None
    labels_by = None if labels_only else find_model("yunet", models_dir)
    from face_detector.training.recipe import Recipe
    from face_detector.training.train import train_detector

    given = {name: value for name, value in numbers.items() if value is not None}
    recipe = replace(Recipe(), **given)
    best = train_detector(photographs, recipe, out, begin_with=weights, labels_by=labels_by)
    click.echo(f"best weights: {best}; next: maskwatch export detector --run {out}")


@click.command()
@click.option("--data", type=FOLDER, required=True, help="images/ and annotations.json (COCO).")
@click.option("--out", type=FOLDER, required=True, help="Where the report goes.")
@click.option("--side-px", type=click.IntRange(64, 4096), default=640, show_default=True)
@click.option(
    "--detector", "names", multiple=True, help="May be given several times. Default: all detectors."
)
def evaluate(data: Path, out: Path, side_px: int, names: tuple[str, ...]) -> None:
    """Measure face detectors on labelled photographs, side by side.

    Writes detector.md with tables and curves, predictions.json (COCO results) of the first
    detector, and a contact sheet of its worst mistakes. The sheet shows faces: store it
    accordingly.
    """
    settings = load_settings()
    from face_detector.evaluation.contenders import CONTENDERS, load_contenders
    from face_detector.evaluation.measure import measure
    from face_detector.evaluation.report import write_report
    from models.coco import read_photographs

    photographs = read_photographs(data)
    contenders, missing = load_contenders(names or CONTENDERS, settings.where_models_are, side_px)
    with click.progressbar(
        length=len(photographs.photographs), label="finding faces", file=sys.stderr
    ) as bar:
        measured = measure(
            contenders, photographs.photographs, side_px, lambda done: bar.update(done - bar.pos)
        )
    report = write_report(measured, photographs, out, side_px=side_px, missing=missing)
    click.echo(f"report: {report}")


@click.command()
@click.option("--data", type=FOLDER, required=True, help="images/ and annotations.json (COCO).")
@click.option("--out", type=FOLDER, required=True, help="Where the report goes.")
def pipeline(data: Path, out: Path) -> None:
    """Measure detector and classifier together: the verdicts on detected faces.

    Writes pipeline.md and predictions.json (COCO results, with a category for each face that has
    a verdict). Uses the configured detector and classifier.
    """
    settings = load_settings()
    from face_detector.evaluation.pipeline import judge_photographs, write_report
    from face_detector.loading import load_detector
    from models.coco import read_photographs
    from models.loading import load_classifier

    photographs = read_photographs(data)
    detector = load_detector(
        settings.detector,
        models_dir=settings.where_models_are,
        input_width=settings.detector_width,
        score_threshold=settings.detector_threshold,
        device=settings.device,
        threads=settings.inference_threads,
    )
    classifier = load_classifier(
        settings.classifier_runtime, path=settings.classifier_path, device=settings.device
    )
    with click.progressbar(
        length=len(photographs.photographs), label="judging faces", file=sys.stderr
    ) as bar:
        judged = judge_photographs(
            photographs.photographs, detector, classifier, lambda done: bar.update(done - bar.pos)
        )
    click.echo(f"report: {write_report(judged, photographs, out)}")


@click.command()
@click.option("--run", type=FOLDER, required=True, help="Folder of `maskwatch train detector`.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the files.")
@click.option(
    "--batch", type=click.IntRange(1), help="Fixed number of frames per run. Default: any number."
)
@click.option(
    "--score-threshold", type=click.FloatRange(0.05, 0.99), default=0.5, show_default=True
)
def export(run: Path, out: Path, batch: int | None, score_threshold: float) -> None:
    """Write a trained detector as ONNX, after checking that it agrees with Keras."""
    from face_detector.training.export import export_run

    for path in export_run(run, out, score_threshold=score_threshold, batch=batch):
        click.echo(f"wrote {path} ({path.stat().st_size / 1e6:.2f} MB)")
