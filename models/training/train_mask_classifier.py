"""Train the mask classifier.

    python -m face_detector.annotate --images ../shared/data/train/images --out out/boxes.json
    python -m models.training.train_mask_classifier --data ../shared/data/train \
        --boxes out/boxes.json --out out/classifier \
        --backbone ../shared/weights/mobilenet_v2_imagenet_notop.weights.h5

First the head alone on fixed features, then everything with a small, falling learning rate.
`best.keras` in the output folder is the best so far by balanced loss on held-out clusters of
the *training* data; the validation data take no part. It is there after the first phase and
replaced as training gets on, so `export_onnx` can be run at any time.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import keras
import numpy as np
import numpy.typing as npt

from contract.verdicts import JUDGED_VERDICTS
from models.training.batches import AugmentedBatches, plain_arrays
from models.training.dataset import FacePatch, cut_patches, read_faces, report, split_by_cluster
from models.training.network import build_network

logger = logging.getLogger(__name__)

SEED: Final = 20
HELD_OUT_SHARE: Final = 0.06
BATCH_SIZE: Final = 64
HEAD_EPOCHS: Final = 40
HEAD_LEARNING_RATE: Final = 2e-3
PEAK_LEARNING_RATE: Final = 4e-4
WEIGHT_DECAY: Final = 1e-4
LABEL_SMOOTHING: Final = 0.05


def train(options: argparse.Namespace) -> None:
    """Run both phases."""
    keras.utils.set_random_seed(SEED)
    cv2.setNumThreads(1)
    faces = read_faces(options.data / "annotations.json", options.boxes)
    training, held_out = split_by_cluster(faces, HELD_OUT_SHARE)
    logger.info(
        "%s training and %s held-out faces\n%s", len(training), len(held_out), report(faces)
    )
    patches = cut_patches(training, options.data / "images")
    judge = HeldOut(cut_patches(held_out, options.data / "images"), options.out / "best.keras")
    model = build_network(options.backbone)
    train_head(model, patches, options.steps)
    judge.save_if_better(model, "head only")
    fine_tune(model, patches, judge, epochs=options.epochs, steps=options.steps)


class HeldOut(keras.callbacks.Callback):  # type: ignore[misc]
    """Saves the model whenever it is better on held-out faces than ever before."""

    def __init__(self, patches: Sequence[FacePatch], path: Path) -> None:
        super().__init__()
        self._arrays = plain_arrays(patches)
        self._path = path
        self._best = np.inf

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Judge the model after an epoch."""
        training_loss = (logs or {}).get("loss", np.nan)
        self.save_if_better(self.model, f"epoch {epoch + 1}, training loss {training_loss:.3f}")

    def save_if_better(self, model: Any, when: str) -> None:
        """Log loss and recalls, all labels weighing the same, and save on a better loss."""
        logits = np.asarray(model.predict(self._arrays["x"], batch_size=BATCH_SIZE, verbose=0))
        loss, recalls = balanced_scores(logits, self._arrays["y"])
        logger.info("%s: held-out loss %.4f, recalls %s", when, loss, np.round(recalls, 3))
        if loss < self._best:
            self._best = loss
            save_for_inference(model, self._path)


def train_head(model: Any, patches: Sequence[FacePatch], batches: int) -> None:
    """Fit the last layer on features of one epoch of augmented faces."""
    data = AugmentedBatches(patches, batch_size=BATCH_SIZE, batches=batches, seed=SEED)
    drawn = [data[i] for i in range(batches)]
    backbone = keras.Sequential([model.get_layer("scale"), model.get_layer("backbone")])
    x = backbone.predict(np.concatenate([crops for crops, _ in drawn]), verbose=0)
    y = np.concatenate([labels for _, labels in drawn])
    head = keras.Sequential([keras.Input(x.shape[1:]), model.get_layer("logits")])
    head.compile(keras.optimizers.Adam(HEAD_LEARNING_RATE), smoothed_loss)
    head.fit(x, y, batch_size=256, epochs=HEAD_EPOCHS, verbose=0)


def fine_tune(
    model: Any, patches: Sequence[FacePatch], judge: HeldOut, *, epochs: int, steps: int
) -> None:
    """Train all layers; the learning rate warms up over one epoch, then falls to nothing."""
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=PEAK_LEARNING_RATE / 20,
        warmup_target=PEAK_LEARNING_RATE,
        warmup_steps=steps,
        decay_steps=(epochs - 1) * steps,
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY, clipnorm=1.0)
    model.compile(optimizer, smoothed_loss, jit_compile=False)
    data = AugmentedBatches(patches, batch_size=BATCH_SIZE, batches=steps, seed=SEED + 1)
    model.fit(data, epochs=epochs, verbose=2, callbacks=[judge])


def smoothed_loss(labels: Any, logits: Any) -> Any:
    """Cross-entropy with smoothed labels: many photographs are labelled doubtfully."""
    one_hot = keras.ops.one_hot(keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32"), 3)
    return keras.losses.categorical_crossentropy(
        one_hot, logits, from_logits=True, label_smoothing=LABEL_SMOOTHING
    )


def balanced_scores(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> tuple[float, list[float]]:
    """Mean over labels of the mean cross-entropy, and each label's recall."""
    log_sum = np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1))
    losses = log_sum + logits.max(axis=1) - logits[np.arange(len(labels)), labels]
    hits = logits.argmax(axis=1) == labels
    present = [label for label in range(len(JUDGED_VERDICTS)) if (labels == label).any()]
    loss = float(np.mean([losses[labels == label].mean() for label in present]))
    return loss, [float(hits[labels == label].mean()) for label in present]


def save_for_inference(model: Any, path: Path) -> None:
    """Write the model, whole or not at all, without its optimizer's state (twice the rest)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    copy = build_network(None)
    copy.set_weights(model.get_weights())
    part = path.with_name(f"part-{path.name}")
    copy.save(part)
    part.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Train the mask classifier.")
    parser.add_argument("--data", type=Path, required=True, help="folder of annotations.json")
    parser.add_argument("--boxes", type=Path, help="what face_detector.annotate wrote for it")
    parser.add_argument("--backbone", type=Path, required=True, help="ImageNet weights, no top")
    parser.add_argument("--out", type=Path, default=Path("out/classifier"))
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--steps", type=int, default=130, help="batches in an epoch")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    train(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
