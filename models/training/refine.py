"""Teach a trained classifier to say that a face cannot be judged, in an hour on two cores.

The network's first blocks stay as they are, so varied faces need to pass them only once: what comes
out is kept in the run's folder, and the last blocks with a new, four-way head learn from that.
Killed, the same command goes on after the last whole part. `export` makes the files that serve.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import keras
import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError
from contract.people.verdicts import VERDICTS
from models.labelled_faces import LabelledFace, cut_patches, report, split_by_cluster
from models.training.batches import AugmentedBatches
from models.training.losses import smoothed_loss
from models.training.network import DROPOUT, FEATURE_LAYERS, HEAD_LAYER, build_network
from models.training.recipe import Recipe
from models.training.train import BEST_NAME, calibrate, save_for_inference

Features = npt.NDArray[np.float16]
Labels = npt.NDArray[np.int64]

BATCHES_A_PART: Final = 16
"""Batches of faces in one file of features: what a kill loses at most."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refinement:
    """How a network is refined.

    cut: the last layer of MobileNetV2 that stays fixed. parts: files of `BATCHES_A_PART` batches of
    varied faces. unclear_chance: how often a face is made one that nobody could judge.
    """

    cut: str = "block_12_add"
    parts: int = 40
    epochs: int = 2
    batch_size: int = 128
    peak_learning_rate: float = 4e-4
    weight_decay: float = 1e-4
    label_smoothing: float = 0.05
    unclear_chance: float = 0.12


def refine_classifier(
    faces: Sequence[LabelledFace],
    start: Path,
    out: Path,
    *,
    recipe: Recipe,
    refinement: Refinement,
) -> Path:
    """Refine a classifier's Keras file on labelled faces; returns the new checkpoint's path.

    Some faces should be labelled `unknown` (see `models.training.relabelling`). Raises
    ModelFormatError for a file of another network.
    """
    keras.utils.set_random_seed(recipe.seed)
    cv2.setNumThreads(1)
    training, held_out = split_by_cluster(faces, recipe.held_out_share)
    logger.info("%s to train on, %s held out\n%s", len(training), len(held_out), report(faces))
    model = with_four_outputs(start, recipe)
    front, tail = split_network(model, refinement.cut)
    features, labels = varied_features(front, training, out / "features", recipe, refinement)
    fit_tail(tail, features, labels, refinement)
    save_for_inference(model, recipe, out / BEST_NAME)
    calibrate(out, recipe, held_out)
    return out / BEST_NAME


def with_four_outputs(start: Path, recipe: Recipe) -> Any:
    """A classifier's network whose head has an output more, `unknown`, where it had three."""
    try:
        trained = keras.models.load_model(start, compile=False).get_weights()
    except (ValueError, OSError, TypeError) as error:
        raise ModelFormatError(f"{start} cannot be opened as a Keras network: {error}") from error
    *body, kernel, bias = trained
    more = len(VERDICTS) - len(bias)
    model = build_network(
        None,
        input_size=recipe.input_size,
        alpha=recipe.alpha,
        network=recipe.network,
        outputs=len(VERDICTS),
    )
    try:
        model.set_weights([*body, np.pad(kernel, ((0, 0), (0, more))), np.pad(bias, (0, more))])
    except ValueError as error:
        raise ModelFormatError(
            f"{start} cannot be refined: {error}; it must be a classifier's Keras file of the same "
            f"network ({recipe.network}, {recipe.input_size} px, alpha {recipe.alpha})"
        ) from error
    return model


def split_network(model: Any, cut: str) -> tuple[Any, Any]:
    """The network up to the layer `cut`, and from there to the logits. They share its weights.

    Batch norms are settled, and stay so.
    """
    backbone = model.get_layer(FEATURE_LAYERS[-1])
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    middle = backbone.get_layer(cut).output
    scaled = model.get_layer(FEATURE_LAYERS[0])(model.input)
    front = keras.Model(model.input, keras.Model(backbone.input, middle)(scaled))
    rest = keras.Model(middle, backbone.output)
    inputs = keras.Input(middle.shape[1:])
    pooled = keras.layers.Dropout(DROPOUT)(rest(inputs))
    return front, keras.Model(inputs, model.get_layer(HEAD_LAYER)(pooled))


def varied_features(
    front: Any,
    faces: Sequence[LabelledFace],
    folder: Path,
    recipe: Recipe,
    refinement: Refinement,
) -> tuple[Features, Labels]:
    """What varied faces are at the cut, (N, H, W, C) float16, and their labels (N,)."""
    patches = cut_patches(faces)
    batches = AugmentedBatches(
        patches,
        size=recipe.input_size,
        batch_size=recipe.batch_size,
        batches=refinement.parts * BATCHES_A_PART,
        seed=recipe.seed,
        unclear_chance=refinement.unclear_chance,
    )
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_part(front, batches, folder, number) for number in range(refinement.parts)]
    return np.concatenate([f for f, _ in parts]), np.concatenate([y for _, y in parts])


def fit_tail(tail: Any, features: Features, labels: Labels, refinement: Refinement) -> None:
    """Train the last blocks and the head; the learning rate falls to nothing along a cosine."""
    steps = len(labels) // refinement.batch_size * refinement.epochs
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=refinement.peak_learning_rate / 20,
        warmup_target=refinement.peak_learning_rate,
        warmup_steps=max(1, steps // 10),
        decay_steps=max(1, steps - steps // 10),
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=refinement.weight_decay, clipnorm=1.0)
    loss = smoothed_loss(refinement.label_smoothing)
    tail.compile(optimizer, loss, jit_compile=False)
    tail.fit(
        features,
        labels,
        batch_size=refinement.batch_size,
        epochs=refinement.epochs,
        verbose=1 if sys.stdout.isatty() else 2,
    )


def _part(
    front: Any, batches: AugmentedBatches, folder: Path, number: int
) -> tuple[Features, Labels]:
    """One file of features, made unless it is there."""
    path = folder / f"{number:04d}.npz"
    if not path.is_file():
        first = number * BATCHES_A_PART
        drawn = [batches[first + i] for i in range(BATCHES_A_PART)]
        features = [front.predict_on_batch(crops).astype(np.float16) for crops, _ in drawn]
        unfinished = folder / f"part-{path.name}"
        np.savez(
            unfinished,
            features=np.concatenate(features),
            labels=np.concatenate([labels for _, labels in drawn]),
        )
        unfinished.replace(path)
        logger.info("%s is made", path)
    with np.load(path) as kept:
        return kept["features"], kept["labels"]
