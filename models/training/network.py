"""The classifier's network: MobileNetV2 (Sandler et al., 2018) with a logit a verdict on top."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import keras

from contract.errors import ModelFormatError, SettingsError
from contract.people.verdicts import JUDGED_VERDICTS

NETWORKS: Final = ("mobilenet_v2", "small")
DROPOUT: Final = 0.2
MOMENTUM: Final = 0.9
"""Momentum of batch norms that learn: Keras's 0.999 needs thousands of steps to forget its
start."""
HEAD_LAYER: Final = "logits"
FEATURE_LAYERS: Final = ("scale", "backbone")
SMALL_FILTERS: Final = (16, 32, 64, 128)


def build_network(
    backbone_weights: Path | None,
    *,
    input_size: int,
    alpha: float = 1.0,
    network: str = "mobilenet_v2",
    outputs: int = len(JUDGED_VERDICTS),
) -> Any:
    """A Keras model from (N, S, S, 3) RGB crops in 0..255 to (N, outputs) logits.

    `network` is one of `NETWORKS`; "small" is four separable convolutions, learnt in minutes
    from nothing, to try a set of photographs out. `backbone_weights` are ImageNet's for
    MobileNetV2, without the top. Raises ModelFormatError for weights of another network,
    SettingsError for a network that is not there or for weights it cannot take.
    """
    if network not in NETWORKS:
        raise SettingsError(f"the network must be one of {', '.join(NETWORKS)}, not {network!r}")
    if network == "small" and backbone_weights is not None:
        raise SettingsError("the network small has no ImageNet weights; train it from scratch")
    shape = (input_size, input_size, 3)
    backbone = _small(shape, alpha) if network == "small" else _mobilenet(shape, alpha)
    norms = [x for x in backbone.layers if isinstance(x, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = MOMENTUM
    if backbone_weights is not None:
        _load(backbone, backbone_weights)
        # In the published file their statistics are folded into the offsets, so that normalising
        # by a batch's own statistics destroys the features. (Calling the backbone with
        # `training=False` does not do it: `fit` overrides that inside a functional model.)
        for norm in norms:
            norm.trainable = False
    crops = keras.Input(shape, name="crops")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(crops)
    features = keras.layers.Dropout(DROPOUT, name="dropout")(backbone(scaled))
    # Under mixed precision the logits stay exact.
    logits = keras.layers.Dense(outputs, name=HEAD_LAYER, dtype="float32")(features)
    return keras.Model(crops, logits, name="mask_classifier")


def _mobilenet(shape: tuple[int, int, int], alpha: float) -> Any:
    return keras.applications.MobileNetV2(
        include_top=False,
        pooling="avg",
        input_shape=shape,
        alpha=alpha,
        weights=None,
        name="backbone",
    )


def _small(shape: tuple[int, int, int], alpha: float) -> Any:
    inputs = x = keras.Input(shape)
    for filters in SMALL_FILTERS:
        width = max(4, round(filters * alpha))
        x = keras.layers.SeparableConv2D(width, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name="backbone")


def _load(backbone: Any, weights: Path) -> None:
    try:
        backbone.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        raise ModelFormatError(
            f"{weights} does not hold weights of MobileNetV2 without its top ({error}); give "
            "those of alpha 1.0, or train from nothing"
        ) from error
