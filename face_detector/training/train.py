"""Training the face detector: resumable at every epoch, reproducible from its seed.

`best.weights.h5` in the run's folder is the best so far by average precision on held-out
clusters of the *training* data; validation data take no part. Runs unchanged on any Keras
backend.
"""

from __future__ import annotations

import dataclasses
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import keras

from contract.errors import DataError
from face_detector.anchor_detector import AnchorDetector
from face_detector.training.batches import CropBatches
from face_detector.training.callbacks import BEST_NAME, EpochKeeper
from face_detector.training.finishing import finish
from face_detector.training.judging import HeldOutJudge
from face_detector.training.lessons import Lesson, make_lessons, split_by_cluster
from face_detector.training.losses import DetectionLoss
from face_detector.training.network import build_network
from face_detector.training.pseudo_labels import faces_seen
from face_detector.training.recipe import Recipe
from face_detector.training.starting_weights import start_from
from face_detector.yunet import YuNetDetector
from models.coco import Photograph, PhotographSet
from models.training.runs import TrainingRun

logger = logging.getLogger(__name__)

SEEN_NAME: Final = "faces_seen.json"


def train_detector(
    data: PhotographSet,
    recipe: Recipe,
    out: Path,
    *,
    begin_with: Path | None,
    labels_by: Path | None,
) -> Path:
    """Train on labelled photographs into a run's folder and return the best weights' path.

    `begin_with` is the file whose weights to begin with (YuNet's or ours), None for nothing.
    `labels_by` is the YuNet file that fills in faces without a label and all landmarks, and
    teaches what is no face, None for the labels alone. Going on in a folder with a run of the
    same settings continues after its last epoch. Raises DataError for photographs that cannot
    be learnt from, CheckpointError for a folder whose state is damaged or of another run,
    ModelFormatError for a wrong file.
    """
    run = TrainingRun.open(out, _settings(data, recipe, begin_with, labels_by))
    keras.utils.set_random_seed(recipe.seed)
    cv2.setNumThreads(1)
    training, held_out = _split(data, recipe)
    logger.info("%s photographs to train on, %s held out", len(training), len(held_out))
    if run.epoch < recipe.epochs:
        lessons = make_lessons(training, faces_seen(training, labels_by, out / SEEN_NAME))
        teacher = YuNetDetector(labels_by, threads=1) if labels_by else None
        _fit(run, recipe, lessons, held_out, begin_with, teacher)
    return out / BEST_NAME


def _fit(
    run: TrainingRun,
    recipe: Recipe,
    lessons: Sequence[Lesson],
    held_out: Sequence[Photograph],
    begin_with: Path | None,
    teacher: AnchorDetector | None,
) -> None:
    """Train from where the run is to its last epoch."""
    if recipe.mixed_precision:
        keras.mixed_precision.set_global_policy("mixed_float16")
    model = build_network()
    if begin_with is not None:
        start_from(model, begin_with)
    begun_with = model.get_weights() if begin_with is not None else None
    _compile(model, recipe)
    run.restore(model)
    batches = CropBatches(
        lessons,
        side_px=recipe.side_px,
        batch_size=recipe.batch_size,
        batches=recipe.steps,
        seed=recipe.seed,
        first_epoch=run.epoch,
        teacher=teacher,
    )
    model.fit(
        batches,
        initial_epoch=run.epoch,
        epochs=recipe.epochs,
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[
            EpochKeeper(
                run,
                HeldOutJudge(held_out, recipe.judged_px),
                lambda averaged: finish(averaged, begun_with, recipe),
            )
        ],
    )


def _compile(model: Any, recipe: Recipe) -> None:
    warm_up = max(1, recipe.steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.peak_learning_rate / 20,
        warmup_target=recipe.peak_learning_rate,
        warmup_steps=warm_up,
        decay_steps=max(1, recipe.epochs * recipe.steps - warm_up),
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=recipe.weight_decay,
        global_clipnorm=recipe.largest_gradient,
        use_ema=True,
        ema_momentum=recipe.average_memory,
    )
    # Compiling to XLA costs a CPU more than it saves (docs/adr/0004).
    model.compile(optimizer, DetectionLoss(recipe.side_px), jit_compile=False)


def _split(
    data: PhotographSet, recipe: Recipe
) -> tuple[Sequence[Photograph], Sequence[Photograph]]:
    training, held_out = split_by_cluster(data.photographs, recipe.held_out_share)
    if not any(len(photograph.boxes) for photograph in held_out):
        # A set too small for the share: the last cluster judges.
        last = data.photographs[-1].cluster
        training = [p for p in data.photographs if p.cluster != last]
        held_out = [p for p in data.photographs if p.cluster == last]
    if not training:
        raise DataError(
            f"{data.annotations_path} has {len(data.photographs)} photographs of one cluster: some "
            "to learn from and some to judge by are needed; add others"
        )
    return training, held_out


def _settings(
    data: PhotographSet, recipe: Recipe, begin_with: Path | None, labels_by: Path | None
) -> dict[str, Any]:
    """Return the settings that distinguish two runs."""
    photographs, faces = Counter[str](), Counter[str]()
    for photograph in data.photographs:
        photographs[photograph.source] += 1
        faces[photograph.source] += len(photograph.boxes)
    sources = [f"{s}: {n} photographs, {faces[s]} faces" for s, n in sorted(photographs.items())]
    return {
        **dataclasses.asdict(recipe),
        "sources": "; ".join(sources),
        "began_with": begin_with.name if begin_with else None,
        "labels_by": labels_by.name if labels_by else None,
    }
