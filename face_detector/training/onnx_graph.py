"""The Keras network as an ONNX graph, layer by layer.

Not through tf2onnx: its graph for the same layers transposes the input and every level's
output, and upsamples by tiling, which costs a quarter of the network's time in ONNX Runtime
(docs/adr/0009). This one is channels-first throughout, and comes from any Keras backend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import keras
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from contract.errors import ModelFormatError
from face_detector.spec import INPUT, OUTPUT

OPSET: Final = 17


class _Graph:
    """ONNX nodes and tensors as they are added."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def tensor(self, name: str, values: npt.NDArray[Any]) -> str:
        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output


def to_onnx(model: Any, batch: int | None) -> onnx.ModelProto:
    """The network, from "frames" (batch, 3, height, width) float32 to "anchors" (batch, 16, A).

    `batch` None leaves the batch free; height and width always are, as multiples of 32.
    Raises ModelFormatError on a layer of a kind that the detector's network does not have.
    """
    graph = _Graph()
    names = {id(model.input): INPUT}
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            inputs = layer.input if isinstance(layer.input, list) else [layer.input]
            names[id(layer.output)] = _add(graph, layer, [names[id(tensor)] for tensor in inputs])
    graph.node("Identity", [names[id(model.output)]], OUTPUT)
    rows = model.output.shape[-1]
    free = batch or "batch"
    made = helper.make_graph(
        graph.nodes,
        "face_detector",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [free, 3, "height", "width"])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [free, rows, "cells"])],
        graph.tensors,
    )
    network = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)])
    network.ir_version = 8  # what opset 17 came with: older runtimes read it too
    onnx.checker.check_model(network)
    return network


def _add(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    for kind, add in _KINDS:
        if isinstance(layer, kind):
            return add(graph, layer, inputs)
    raise ModelFormatError(
        f"layer {layer.name} is a {type(layer).__name__}, which the detector's network does not "
        "have; export a checkpoint of `maskwatch train detector`"
    )


def _convolution(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    kernel, bias = (np.asarray(values) for values in layer.get_weights())
    depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
    kernel = kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
    weights = [
        graph.tensor(f"{layer.name}/kernel", kernel),
        graph.tensor(f"{layer.name}/bias", bias),
    ]
    output = graph.node(
        "Conv",
        [*inputs, *weights],
        f"{layer.name}/sum",
        group=len(kernel) if depthwise else 1,
        strides=list(layer.strides),
        # The one layer that is not padded "same" follows a padding of its own, merged here.
        pads=[kernel.shape[-1] // 2] * 4,
    )
    if layer.activation is keras.activations.relu:
        output = graph.node("Relu", [output], f"{layer.name}/relu")
    return output


def _pooling(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    return graph.node("MaxPool", inputs, layer.name, kernel_shape=[2, 2], strides=[2, 2])


def _doubling(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    scales = graph.tensor(f"{layer.name}/scales", np.array([1, 1, 2, 2], np.float32))
    return graph.node(
        "Resize",
        [*inputs, "", scales],
        layer.name,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _rows(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    shape = graph.tensor(f"{layer.name}/shape", np.array([0, layer.target_shape[-1], -1]))
    return graph.node("Reshape", [*inputs, shape], layer.name)


def _padding(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    return inputs[0]


def _sum(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    return graph.node("Add", inputs, layer.name)


def _joined(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    return graph.node("Concat", inputs, layer.name, axis=2)


_KINDS: Final[tuple[tuple[type, Callable[[_Graph, Any, list[str]], str]], ...]] = (
    (keras.layers.DepthwiseConv2D, _convolution),
    (keras.layers.Conv2D, _convolution),
    (keras.layers.MaxPooling2D, _pooling),
    (keras.layers.UpSampling2D, _doubling),
    (keras.layers.ZeroPadding2D, _padding),
    (keras.layers.Reshape, _rows),
    (keras.layers.Concatenate, _joined),
    (keras.layers.Add, _sum),
)
