"""`maskwatch train classifier`, and `refine`, `evaluate` and `export classifier`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from runtime.logs import configure_logging
from runtime.settings import load_settings

if TYPE_CHECKING:
    from models.labelled_faces import LabelledFace

FOLDER: Final = click.Path(file_okay=False, path_type=Path)
FILE: Final = click.Path(dir_okay=False, path_type=Path)
FACES_NAME: Final = "detector_faces.json"


@click.command()
@click.option("--data", type=FOLDER, required=True, help="images/ and annotations.json (COCO).")
@click.option("--out", type=FOLDER, default=Path("out/classifier"), show_default=True)
@click.option("--backbone", type=FILE, help="ImageNet weights of MobileNetV2 without its top.")
@click.option("--start", type=FILE, help="Start from a classifier's Keras file instead.")
@click.option("--from-scratch", is_flag=True, help="Train without ImageNet weights.")
@click.option(
    "--without", multiple=True, metavar="SOURCE", help="Leave out a source of photographs."
)
@click.option("--network", type=click.Choice(["mobilenet_v2", "small"]))
@click.option("--input-size", type=click.IntRange(32, 512), help="Side of a crop in pixels.")
@click.option("--alpha", type=click.FloatRange(0.1, 1.4), help="Width of the network.")
@click.option("--epochs", type=click.IntRange(1))
@click.option("--steps", type=click.IntRange(1), help="Batches per epoch.")
@click.option("--batch-size", type=click.IntRange(1))
@click.option("--peak-learning-rate", type=click.FloatRange(0, min_open=True))
@click.option("--seed", type=int)
def train(
    data: Path,
    out: Path,
    backbone: Path | None,
    start: Path | None,
    from_scratch: bool,
    without: tuple[str, ...],
    **numbers: Any,
) -> None:
    """Train the mask classifier on labelled photographs.

    If the command is stopped or killed, run it again: it continues after the last complete epoch.
    It writes the best checkpoint, its calibration and a picture of the learning curves. `maskwatch
    export classifier` turns the checkpoint into the files that workers load.
    """
    settings = load_settings()
    configure_logging("train", settings.log_level, settings.log_format)
    faces = [face for face in _faces(data, out / FACES_NAME) if face.source not in without]
    from models.files import find_model
    from models.training.recipe import Recipe
    from models.training.train import train_classifier

    if backbone is None and start is None and not from_scratch:
        backbone = find_model("mobilenet-v2-imagenet", load_settings().where_models_are)
    given = {name: value for name, value in numbers.items() if value is not None}
    best = train_classifier(faces, replace(Recipe(), **given), out, backbone=backbone, start=start)
    click.echo(f"best checkpoint: {best}; next: maskwatch export classifier --run {out}")


@click.command()
@click.option("--data", "sets", type=FOLDER, required=True, multiple=True, help="May be repeated.")
@click.option("--start", type=FILE, required=True, help="The classifier's Keras file to refine.")
@click.option("--out", type=FOLDER, default=Path("out/refined"), show_default=True)
@click.option("--parts", type=click.IntRange(1), help="Files of 1024 varied faces to learn from.")
@click.option("--epochs", type=click.IntRange(1))
@click.option("--seed", type=int)
def refine(
    sets: tuple[Path, ...],
    start: Path,
    out: Path,
    parts: int | None,
    epochs: int | None,
    seed: int | None,
) -> None:
    """Teach a mask classifier to say that a face cannot be judged.

    Learns from the labelled photographs of every --data (images/ and annotations.json, COCO), as
    corrected and completed by models/training/relabelled.csv. Stopped or killed, the same command
    goes on where it was; `maskwatch export classifier` makes the files that serve from its folder.
    """
    settings = load_settings()
    configure_logging("train", settings.log_level, settings.log_format)
    from models.coco import read_photographs
    from models.training.recipe import Recipe
    from models.training.refine import Refinement, refine_classifier
    from models.training.relabelling import read_changes, relabel

    photographs = [one for data in sets for one in read_photographs(data).photographs]
    known = [face for data in sets for face in _faces(data, out / f"{data.name}_{FACES_NAME}")]
    faces = relabel(photographs, known, read_changes())
    numbers = {"parts": parts, "epochs": epochs}
    given: dict[str, Any] = {name: one for name, one in numbers.items() if one is not None}
    best = refine_classifier(
        faces,
        start,
        out,
        recipe=Recipe() if seed is None else replace(Recipe(), seed=seed),
        refinement=replace(Refinement(), **given),
    )
    click.echo(f"refined: {best}; next: maskwatch export classifier --run {out}")


@click.command()
@click.option("--data", type=FOLDER, required=True, help="images/ and annotations.json (COCO).")
@click.option("--out", type=FOLDER, required=True, help="Folder for the report.")
@click.option("--classifier", "path", type=FILE, help="Default: the classifier that ships.")
@click.option("--runtime", type=click.Choice(["onnx", "tensorflow"]), default="onnx")
def evaluate(data: Path, out: Path, path: Path | None, runtime: str) -> None:
    """Measure the mask classifier on labelled photographs.

    Writes classifier.md with tables and pictures, and a contact sheet of the worst mistakes.
    The sheet shows faces: store it accordingly.
    """
    faces = _faces(data, out / FACES_NAME)
    from models.evaluation.judged import judge
    from models.evaluation.report import overall, write_report
    from models.loading import load_classifier

    classifier = load_classifier(runtime, path=path)
    judged = judge(classifier, faces)
    report = write_report(judged, classifier, out, title=f"Mask classifier on {data.name}")
    click.echo(f"{overall(judged)}\n\nreport: {report}")


@click.command()
@click.option("--run", type=FOLDER, required=True, help="Folder of `maskwatch train classifier`.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the files.")
@click.option(
    "--batch", type=click.IntRange(1), help="Fixed number of crops per run. Default: any number."
)
def export(run: Path, out: Path, batch: int | None) -> None:
    """Write a trained classifier as ONNX and Keras files, after checking that both agree."""
    from models.training.export import export_run

    for path in export_run(run, out, batch=batch):
        click.echo(f"wrote {path} ({path.stat().st_size / 1e6:.1f} MB)")


def _faces(data: Path, cache: Path) -> list[LabelledFace]:
    """Return a set's labelled faces, matched with the boxes of the configured detector."""
    from face_detector.annotate import annotate
    from face_detector.loading import load_detector
    from models.coco import read_photographs
    from models.labelled_faces import match_faces

    settings = load_settings()
    photographs = read_photographs(data).photographs
    detector = load_detector(
        settings.detector,
        models_dir=settings.where_models_are,
        input_width=settings.detector_width,
        score_threshold=settings.detector_threshold,
        device=settings.device,
        threads=settings.inference_threads,
    )
    with click.progressbar(length=len(photographs), label="finding faces", file=sys.stderr) as bar:
        found = annotate(
            photographs,
            detector,
            cache,
            f"{settings.detector_width} px, threshold {settings.detector_threshold}",
            lambda done, _: bar.update(done - bar.pos),
        )
    return match_faces(photographs, found)
