"""The detector's network as a Keras model: YuNet's layers, with one head a stride.

Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023). Where YuNet has four heads of
1 + 1 + 4 + 10 channels a stride, here is one of 16: the same function, for a head's layers treat
their channels apart, in a quarter of the operators. There are no batch norms: the published
weights have them folded away, and without them a small batch trains as well as a large one.
"""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np

from face_detector.anchors import CHANNELS, STRIDES

WIDTH: Final = 64
FIRST_LOGIT: Final = -2.0
PIXEL_SIZE: Final = 100.0
"""Approximate size of pixel values. The first layer starts small, because later layers expect 1."""


def build_network() -> Any:
    """A Keras model from (N, H, W, 3) BGR in 0..255 to (N, anchors, 16) float32.

    H and W are multiples of 32. `face_detector.anchors` says what the anchors and the 16
    channels are; class and objectness are logits here.
    """
    pixels = keras.Input((None, None, 3), name="pixels")
    x = keras.layers.ZeroPadding2D(1, name="stem_padding")(pixels)
    x = keras.layers.Conv2D(
        16, 3, 2, activation="relu", kernel_initializer=_he(2 / PIXEL_SIZE**2), name="stem"
    )(x)
    x = _pool(_unit(x, 16, "stem_unit"))
    x = _unit(_unit(x, 16, "stage1_a"), 32, "stage1_b")
    x = _pool(_unit(_unit(x, 32, "stage2_a"), WIDTH, "stage2_b"))
    fine = _unit(_unit(x, WIDTH, "stage3_a"), WIDTH, "stage3_b")
    middle = _unit(_unit(_pool(fine), WIDTH, "stage4_a"), WIDTH, "stage4_b")
    x = _unit(_unit(_pool(middle), WIDTH, "stage5_a"), WIDTH, "stage5_b")
    coarse = _unit(x, WIDTH, "neck32")
    middle = _unit(keras.layers.Add()([middle, _double(coarse)]), WIDTH, "neck16")
    fine = _unit(keras.layers.Add()([fine, _double(middle)]), WIDTH, "neck8")
    levels = zip((fine, middle, coarse), STRIDES, strict=True)
    rows = [_head(x, f"head{stride}") for x, stride in levels]
    return keras.Model(pixels, keras.layers.Concatenate(axis=1)(rows), name="face_detector")


def _unit(x: Any, channels: int, name: str) -> Any:
    """YuNet's building block: mix channels, then look around in each of them."""
    x = keras.layers.Conv2D(channels, 1, kernel_initializer=_he(1), name=f"{name}_point")(x)
    return keras.layers.DepthwiseConv2D(
        3,
        padding="same",
        activation="relu",
        depthwise_initializer=_he(2 * channels),
        name=f"{name}_depth",
    )(x)


def _head(x: Any, name: str) -> Any:
    x = keras.layers.Conv2D(CHANNELS, 1, kernel_initializer=_he(1), name=f"{name}_point")(x)
    x = keras.layers.DepthwiseConv2D(
        3,
        padding="same",
        depthwise_initializer=_he(CHANNELS),
        bias_initializer=_rarely_a_face,
        name=f"{name}_depth",
    )(x)
    return keras.layers.Reshape((-1, CHANNELS), name=f"{name}_rows")(x)


def _rarely_a_face(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """First biases of a head: class and objectness unlikely, all else in the middle."""
    biases = np.zeros(shape, np.float32)
    biases[:2] = FIRST_LOGIT
    return keras.ops.convert_to_tensor(biases, dtype=dtype)


def _pool(x: Any) -> Any:
    return keras.layers.MaxPooling2D()(x)


def _double(x: Any) -> Any:
    return keras.layers.UpSampling2D(interpolation="nearest")(x)


def _he(gain: float) -> Any:
    """Keeps the size of activations through layers with (gain 2) and without (1) a ReLU.

    Of a depthwise kernel Keras takes all channels for inputs, though each has one: the gain
    of such a layer is as many times larger.
    """
    return keras.initializers.VarianceScaling(gain, mode="fan_in", distribution="truncated_normal")
