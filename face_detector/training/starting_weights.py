"""Weights to begin with: YuNet's published ones (MIT), or those of a detector of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from contract.errors import ModelFormatError
from face_detector.anchors import HEADS, STRIDES

UNITS: Final = (
    "stem_unit",
    *(f"stage{stage}_{part}" for stage in range(1, 6) for part in "ab"),
    *(f"neck{stride}" for stride in reversed(STRIDES)),
)
"""YuNet's building blocks in the order of its file, by the names they have here."""
TRUNK: Final = ("stem", *(f"{unit}_{part}" for unit in UNITS for part in ("point", "depth")))


def start_from(model: Any, path: Path) -> None:
    """Begin with a file's weights, whether it is YuNet 2023mar or a detector of ours.

    Raises ModelFormatError if it is neither.
    """
    names = _tensor_names(path)
    if any(name.startswith("bbox_head.") for name in names):
        start_from_yunet(model, path)
    else:
        start_from_ours(model, path)


def start_from_ours(model: Any, path: Path) -> None:
    """Give every layer the weights that `maskwatch export detector` wrote into `path`."""
    try:
        tensors = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
        for layer in model.layers:
            if layer.weights:
                kernel, bias = (tensors[f"{layer.name}/{part}"] for part in ("kernel", "bias"))
                _put(layer, kernel, bias)
    except (KeyError, ValueError) as error:
        raise ModelFormatError(
            f"{path} is no face detector of this network ({error}); name YuNet or what "
            "`maskwatch export detector` wrote"
        ) from error


def start_from_yunet(model: Any, path: Path) -> None:
    """Give the layers that `model` shares with YuNet the weights in `path`.

    The others keep theirs. Raises ModelFormatError if the file is not YuNet 2023mar.
    """
    try:
        graph = onnx.load(str(path)).graph
        for name, (kernel, bias) in _published_weights(graph).items():
            _put(model.get_layer(name), kernel, bias)
    except Exception as error:  # protobuf's, onnx's and Keras's errors share no base class
        raise ModelFormatError(
            f"{path} is not YuNet 2023mar ({error}); fetch it with `maskwatch models pull yunet`"
        ) from error


def _tensor_names(path: Path) -> set[str]:
    try:
        return {tensor.name for tensor in onnx.load(str(path)).graph.initializer}
    except Exception as error:  # protobuf's errors share no public base class with onnx's
        raise ModelFormatError(f"{path} is not readable as ONNX: {error}") from error


def _published_weights(graph: Any) -> dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Kernel (out, in, rows, columns) and bias (out,) by the layer's name here."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions = [list(node.input[1:3]) for node in graph.node if node.op_type == "Conv"]
    trunk = [names for names in convolutions if not names[0].startswith("bbox_head")]
    found = {
        layer: (tensors[kernel], tensors[bias])
        for layer, (kernel, bias) in zip(TRUNK, trunk, strict=True)
    }
    for level, stride in enumerate(STRIDES):
        for theirs, ours in (("conv1", "point"), ("conv2", "depth")):
            names = [f"bbox_head.multi_level_{head}.{level}.{theirs}" for head in HEADS]
            kernels = [tensors[f"{name}.weight"] for name in names]
            biases = [tensors[f"{name}.bias"] for name in names]
            found[f"head{stride}_{ours}"] = np.concatenate(kernels), np.concatenate(biases)
    return found


def _put(layer: Any, kernel: npt.NDArray[Any], bias: npt.NDArray[Any]) -> None:
    is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    axes = (2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0)
    layer.set_weights([kernel.transpose(axes), bias])
