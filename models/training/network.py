"""The classifier's network: MobileNetV2 (Sandler et al., 2018) with three logits on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import keras

from contract.verdicts import JUDGED_VERDICTS

INPUT_SIZE: Final = 128
MARGIN: Final = 0.15
"""See `models.crops.crop_faces`: ears, chin and straps are in the picture, neighbours not."""
DROPOUT: Final = 0.2


def build_network(backbone_weights: Path | None, *, input_size: int = INPUT_SIZE) -> Any:
    """A Keras model from (N, S, S, 3) RGB crops in 0..255 to (N, 3) logits.

    `backbone_weights` are ImageNet's, without the top. Batch norms are frozen: in the
    published file their statistics are folded into the offsets, so that normalising by a
    batch's own statistics destroys the features. (Calling the backbone with
    `training=False` does not do it: `fit` overrides that inside a functional model.)
    """
    backbone = keras.applications.MobileNetV2(
        include_top=False,
        pooling="avg",
        input_shape=(input_size, input_size, 3),
        weights=str(backbone_weights) if backbone_weights else None,
        name="backbone",
    )
    for layer in backbone.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    crops = keras.Input((input_size, input_size, 3), name="crops")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(crops)
    features = keras.layers.Dropout(DROPOUT, name="dropout")(backbone(scaled))
    logits = keras.layers.Dense(len(JUDGED_VERDICTS), name="logits")(features)
    return keras.Model(crops, logits, name="mask_classifier")
