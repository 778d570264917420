"""The training loss, and the measures that judge it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from contract.people.verdicts import VERDICTS


def smoothed_loss(label_smoothing: float) -> Callable[[Any, Any], Any]:
    """Cross-entropy with smoothed labels: many photographs are labelled doubtfully."""

    def loss(labels: Any, logits: Any) -> Any:
        indices = keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32")
        one_hot = keras.ops.one_hot(indices, logits.shape[-1])
        return keras.losses.categorical_crossentropy(
            one_hot, logits, from_logits=True, label_smoothing=label_smoothing
        )

    return loss


def balanced_scores(
    logits: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]
) -> tuple[float, dict[str, float]]:
    """Mean over labels of the mean cross-entropy, and each present label's recall."""
    highest = logits.max(axis=1)
    log_sum = np.log(np.exp(logits - highest[:, None]).sum(axis=1)) + highest
    losses = log_sum - logits[np.arange(len(labels)), labels]
    hits = logits.argmax(axis=1) == labels
    present = [label for label in range(len(VERDICTS)) if (labels == label).any()]
    loss = float(np.mean([losses[labels == label].mean() for label in present]))
    recalls: dict[str, float] = {
        VERDICTS[label]: float(hits[labels == label].mean()) for label in present
    }
    return loss, recalls
