"""The last steps from averaged weights to those that are shipped."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from face_detector.anchors import HEADS, STRIDES
from face_detector.training.recipe import Recipe

Weights = list[npt.NDArray[Any]]


def finish(model: Any, begun_with: Weights | None, recipe: Recipe) -> None:
    """Mix in what the training began with, then grow large boxes; changes `model` in place.

    `begun_with` are the weights of a published network that training began with, None if it
    began with nothing: then there is nothing to keep or to set right.
    """
    if begun_with is None:
        return
    kept = recipe.kept_of_beginning
    pairs = zip(begun_with, model.get_weights(), strict=True)
    model.set_weights([kept * old + (1 - kept) * new for old, new in pairs])
    _grow(model.get_layer(f"head{STRIDES[-1]}_depth"), recipe.growth_of_large)


def _grow(head: Any, factor: float) -> None:
    """Make a head's boxes larger around the same centres: their sizes are exponents."""
    kernel, bias = head.get_weights()
    first = HEADS["cls"] + HEADS["obj"]
    bias[first + 2 : first + 4] += np.log(factor)
    head.set_weights([kernel, bias])
