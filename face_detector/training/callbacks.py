"""The steps after each epoch: judging, keeping the best, saving the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from face_detector.training.network import build_network
from models.training.runs import TrainingRun

logger = logging.getLogger(__name__)

BEST_NAME: Final = "best.weights.h5"


class EpochKeeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Judges the finished weights after each epoch and keeps them if they are the best so far."""

    def __init__(
        self,
        run: TrainingRun,
        judge: Callable[[Any], dict[str, float]],
        finish: Callable[[Any], None],
    ) -> None:
        """`judge` gives figures for a model; the higher its "held_out_ap", the better.

        `finish` changes the averaged weights, in place, into those that would be shipped.
        """
        super().__init__()
        self._run = run
        self._judge = judge
        self._finish = finish
        # One for all epochs: a network's first run on a backend is a slow one.
        self._averaged: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Do all of it; the best weights are in place before the run's state says so."""
        if self._averaged is None:
            self._averaged = build_network()
        averaged = self._averaged
        put_average(self.model, averaged)
        self._finish(averaged)
        figures = {
            "training_loss": float((logs or {}).get("loss", np.nan)),
            **self._judge(averaged),
        }
        best = max((row["held_out_ap"] for row in self._run.history), default=-np.inf)
        if figures["held_out_ap"] > best:
            save_weights(averaged, self._run.folder / BEST_NAME)
        self._run.save(self.model, figures)
        self._run.draw_curves()
        words = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        logger.info("epoch %s: %s", epoch + 1, words)


def put_average(model: Any, copy: Any) -> None:
    """Give `copy` the moving average of the weights of a network in training."""
    own = model.get_weights()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    copy.set_weights(model.get_weights())
    model.set_weights(own)


def save_weights(model: Any, path: Path) -> None:
    """Write a network's weights, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{path.name}")
    model.save_weights(part)
    part.replace(path)
