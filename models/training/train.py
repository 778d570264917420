"""Training the mask classifier: resumable at every epoch, reproducible from its seed.

First the head alone on fixed features, then everything with a small, falling learning rate.
`best.keras` in the run's folder is the best so far by balanced loss on held-out clusters of
the *training* data; the validation data take no part. Runs unchanged on any Keras backend.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import keras
import numpy as np

from contract.errors import DataError, ModelFormatError
from contract.people.verdicts import JUDGED_VERDICTS
from models.evaluation.calibration import (
    calibration_error,
    choose_threshold,
    fit_temperature,
    of_views,
)
from models.evaluation.scores import accuracy
from models.labelled_faces import FacePatch, LabelledFace, cut_patches, report, split_by_cluster
from models.training.batches import AugmentedBatches, plain_arrays
from models.training.losses import balanced_scores, smoothed_loss
from models.training.network import FEATURE_LAYERS, HEAD_LAYER, build_network
from models.training.recipe import Recipe
from models.training.runs import TrainingRun

BEST_NAME: Final = "best.keras"
CALIBRATION_NAME: Final = "calibration.json"
ACCEPTED_RISK: Final = 0.02
"""The share of wrong answers among those given, from which the threshold follows. One in a hundred
labels of the photographs is wrong by itself (docs/adr/0010)."""
ENOUGH_FACES: Final = 100
HEAD_EPOCHS: Final = 40
HEAD_LEARNING_RATE: Final = 2e-3

logger = logging.getLogger(__name__)


def train_classifier(
    faces: Sequence[LabelledFace],
    recipe: Recipe,
    out: Path,
    *,
    backbone: Path | None = None,
    start: Path | None = None,
) -> Path:
    """Train on labelled faces into a run's folder and return the best checkpoint's path.

    `backbone` are ImageNet's weights; or `start` is a classifier's Keras file of the same
    network to begin from, the shipped one for instance. Going on in a folder with a run of the
    same settings continues after its last epoch. Raises DataError for faces that cannot be
    learnt from, CheckpointError for a folder whose state is damaged or of another run.
    """
    run = TrainingRun.open(out, _settings(faces, recipe, start or backbone))
    keras.utils.set_random_seed(recipe.seed)
    cv2.setNumThreads(1)
    training, held_out = split_by_cluster(faces, recipe.held_out_share)
    _check(training, held_out)
    logger.info("%s to train on, %s held out\n%s", len(training), len(held_out), report(faces))
    if run.epoch < recipe.epochs:
        _fit(run, recipe, training, held_out, backbone, start)
    calibrate(out, recipe, held_out)
    return out / BEST_NAME


def calibrate(folder: Path, recipe: Recipe, held_out: Sequence[LabelledFace]) -> dict[str, float]:
    """Fit temperature and threshold of the best checkpoint, and write them beside it.

    On the held-out faces that the detector finds, as only those are met in serving; on all of
    them where those are too few.
    """
    model = keras.models.load_model(folder / BEST_NAME, compile=False)
    found = [face for face in held_out if face.detector_box is not None]
    faces = found if len(found) >= ENOUGH_FACES else held_out
    crops, labels = plain_arrays(cut_patches(faces), recipe.input_size)
    # As served: each face as it is, and as in a mirror.
    logits = np.array(
        [model.predict(view, batch_size=128, verbose=0) for view in (crops, crops[:, :, ::-1])],
        np.float32,
    )
    temperature = fit_temperature(logits, labels)
    probabilities = of_views(logits, temperature)
    figures = {
        "temperature": temperature,
        # What nobody could judge counts as wrong when it gets a verdict.
        "threshold": choose_threshold(
            probabilities[:, : len(JUDGED_VERDICTS)], labels, ACCEPTED_RISK
        ),
        "held_out_faces": len(labels),
        "held_out_accuracy": accuracy(probabilities, labels).rate,
        "held_out_calibration_error": calibration_error(probabilities, labels),
    }
    part = folder / f"part-{CALIBRATION_NAME}"
    part.write_text(json.dumps(figures, indent=1) + "\n")
    part.replace(folder / CALIBRATION_NAME)
    return figures


def _fit(
    run: TrainingRun,
    recipe: Recipe,
    training: Sequence[LabelledFace],
    held_out: Sequence[LabelledFace],
    backbone: Path | None,
    start: Path | None,
) -> None:
    """Train from where the run is to its last epoch."""
    model = _begin_from(start, recipe) if start else _network(recipe, backbone)
    patches = cut_patches(training)
    if not run.epoch and backbone is not None and start is None:
        _train_head(model, patches, recipe)
    _compile(model, recipe)
    run.restore(model)
    keeper = EpochKeeper(run, recipe, cut_patches(held_out))
    model.fit(
        _batches(patches, recipe, epoch=run.epoch),
        initial_epoch=run.epoch,
        epochs=recipe.epochs,
        verbose=1 if sys.stdout.isatty() else 2,
        callbacks=[keeper],
    )


class EpochKeeper(keras.callbacks.Callback):  # type: ignore[misc]
    """After each epoch: judge on held-out faces, keep the best model, save the run's state."""

    def __init__(self, run: TrainingRun, recipe: Recipe, held_out: Sequence[FacePatch]) -> None:
        super().__init__()
        self._run = run
        self._recipe = recipe
        self._crops, self._labels = plain_arrays(held_out, recipe.input_size)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Do all of it; the best model is in place before the state says so."""
        logits = self.model.predict(self._crops, batch_size=128, verbose=0)
        loss, recalls = balanced_scores(np.asarray(logits, np.float32), self._labels)
        logger.info("epoch %s: held-out loss %.4f, recalls %s", epoch + 1, loss, recalls)
        best = min((row["held_out_loss"] for row in self._run.history), default=np.inf)
        if loss < best:
            save_for_inference(self.model, self._recipe, self._run.folder / BEST_NAME)
        figures = {"training_loss": float((logs or {}).get("loss", np.nan)), "held_out_loss": loss}
        self._run.save(
            self.model,
            figures | {f"held_out_recall_{name}": value for name, value in recalls.items()},
        )
        self._run.draw_curves()


def save_for_inference(model: Any, recipe: Recipe, path: Path) -> None:
    """Write the model, whole or not at all, without its optimizer's state (twice the rest)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    copy = build_network(
        None,
        input_size=recipe.input_size,
        alpha=recipe.alpha,
        network=recipe.network,
        outputs=model.output_shape[-1],
    )
    copy.set_weights(model.get_weights())
    part = path.with_name(f"part-{path.name}")
    copy.save(part)
    part.replace(path)


def _begin_from(start: Path, recipe: Recipe) -> Any:
    """A classifier's network with its weights; its batch norms are settled and stay so."""
    model = _network(recipe, None)
    try:
        model.set_weights(keras.models.load_model(start, compile=False).get_weights())
    except (ValueError, OSError, TypeError) as error:
        raise ModelFormatError(
            f"{start} cannot be begun from: {error}; it must be a classifier's Keras file of the "
            f"same network ({recipe.network}, {recipe.input_size} px, alpha {recipe.alpha})"
        ) from error
    for layer in model.get_layer(FEATURE_LAYERS[-1]).layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    return model


def _network(recipe: Recipe, backbone: Path | None) -> Any:
    return build_network(
        backbone,
        input_size=recipe.input_size,
        alpha=recipe.alpha,
        network=recipe.network,
    )


def _train_head(model: Any, patches: Sequence[FacePatch], recipe: Recipe) -> None:
    """Fit the last layer on features of one epoch of varied faces."""
    data = _batches(patches, recipe, epoch=-1)
    drawn = [data[i] for i in range(recipe.steps)]
    extractor = keras.Sequential([model.get_layer(name) for name in FEATURE_LAYERS])
    x = np.concatenate([extractor.predict_on_batch(crops) for crops, _ in drawn])
    y = np.concatenate([labels for _, labels in drawn])
    head = keras.Sequential([keras.Input(x.shape[1:]), model.get_layer(HEAD_LAYER)])
    loss = smoothed_loss(recipe.label_smoothing)
    head.compile(keras.optimizers.Adam(HEAD_LEARNING_RATE), loss, jit_compile=False)
    head.fit(x, y, batch_size=256, epochs=HEAD_EPOCHS, verbose=0)


def _compile(model: Any, recipe: Recipe) -> None:
    """The learning rate warms up over one epoch, then falls to nothing along a cosine."""
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.peak_learning_rate / 20,
        warmup_target=recipe.peak_learning_rate,
        warmup_steps=recipe.steps,
        decay_steps=max(1, (recipe.epochs - 1) * recipe.steps),
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, clipnorm=1.0)
    # Compiling to XLA costs a CPU more than it saves (DESIGN's table).
    model.compile(optimizer, smoothed_loss(recipe.label_smoothing), jit_compile=False)


def _batches(patches: Sequence[FacePatch], recipe: Recipe, *, epoch: int) -> AugmentedBatches:
    return AugmentedBatches(
        patches,
        size=recipe.input_size,
        batch_size=recipe.batch_size,
        batches=recipe.steps,
        # Generators take no negative numbers; -1 is the head's epoch.
        seed=recipe.seed,
        epoch=epoch + 1,
    )


def _settings(
    faces: Sequence[LabelledFace], recipe: Recipe, begun_from: Path | None
) -> dict[str, Any]:
    """Return the settings that distinguish two runs."""
    return {
        **dataclasses.asdict(recipe),
        "faces": len(faces),
        "sources": ", ".join(sorted({face.source for face in faces})),
        "begun_from": begun_from.name if begun_from else None,
    }


def _check(training: Sequence[LabelledFace], held_out: Sequence[LabelledFace]) -> None:
    if not training or not held_out:
        raise DataError(
            f"{len(training)} faces to train on and {len(held_out)} to hold out: both are needed; "
            "add photographs with labelled faces"
        )
    if len({face.label for face in training}) < 2:
        raise DataError("all faces to train on have one label; add faces of another")
