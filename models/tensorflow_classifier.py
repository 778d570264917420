"""The mask classifier in TensorFlow: the same weights, for where TensorFlow is wanted.

It also runs the file of the demo that Maskwatch grew out of, and others of that layout: Keras's
MobileNetV2 at 224x224 with two softmax outputs, *with mask* first, and nothing beside it that
says so.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from contract.errors import (
    ModelDeviceError,
    ModelFormatError,
    ModelNotFoundError,
    SettingsError,
)
from contract.people.verdicts import VERDICTS
from models.mask_classifier import ClassifierSpec

SEED_SPEC: Final = ClassifierSpec(
    labels=("mask", "no_mask"),
    colour_order="RGB",
    input_size=224,
    margin=0.0,
    temperature=1.0,
    normalisation="-1..1",
    outputs="probabilities",
)
"""The seed's layout, for a file of 224x224 inputs and two outputs without a `.json`: crops are
the bare box, pixels scaled by `mobilenet_v2.preprocess_input`, labels in the alphabetical order
of the folders it was trained from (`with_mask`, `without_mask`)."""


class TensorFlowMaskClassifier:
    """A `MaskClassifier` from a Keras file (`.keras`, `.h5`) and its `ClassifierSpec`.

    The spec is the `.json` of the same name beside the file; only a file of the seed's layout
    may do without one. TensorFlow is imported here and not before: it takes seconds and
    hundreds of megabytes.
    """

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        self.device = _prepare_tensorflow(device, threads)
        model = _load(path)
        self._spec = _spec_of(path, model)
        self._run = _compile(model, self._spec, self.device)
        if self.device == "cuda":
            self._check_device()
        self.labels: tuple[str, ...] = VERDICTS
        self.input_size = self._spec.input_size
        self.margin = self._spec.margin
        self.threshold = self._spec.threshold

    def _check_device(self) -> None:
        """Raise ModelDeviceError if TensorFlow runs the network elsewhere than it was told to.

        It places what a GPU cannot take on the processor, and says nothing.
        """
        side = self._spec.input_size
        ran_on = str(self._run(np.zeros((1, side, side, 3), np.uint8)).device)
        if "GPU" not in ran_on:
            raise ModelDeviceError(f"device is 'cuda', but TensorFlow ran the network on {ran_on}")

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `MaskClassifier.classify`; one run of the network for the whole batch, or two."""
        if not len(crops):
            return np.zeros((0, len(self.labels)), np.float32)
        return self._spec.judge(crops, lambda view: np.asarray(self._run(view), np.float32))


def _spec_of(path: Path, model: Any) -> ClassifierSpec:
    """Return the spec in the file's `.json`, or the seed's, after checking it."""
    beside = path.with_suffix(".json")
    shapes = (tuple(model.input_shape[1:]), tuple(model.output_shape[1:]))
    spec = _read_spec(beside) if beside.is_file() else SEED_SPEC
    expected = ((spec.input_size, spec.input_size, 3), (len(spec.labels),))
    if shapes == expected:
        return spec
    if spec is SEED_SPEC:
        raise ModelNotFoundError(
            f"{beside} is missing: it says how to use the network, which takes {shapes[0]} and "
            f"gives {shapes[1]}; only a file that takes {expected[0]} and gives {expected[1]} "
            "(with mask, without mask) can do without"
        )
    raise ModelFormatError(
        f"{path} takes {shapes[0]} and gives {shapes[1]}, but {beside} says {expected[0]} and "
        f"{expected[1]}; put the file there that belongs to it"
    )


def _read_spec(path: Path) -> ClassifierSpec:
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFormatError(f"{path} is not JSON: {error}") from error
    return ClassifierSpec.from_metadata(metadata, str(path))


def _prepare_tensorflow(device: str, threads: int) -> str:
    """Import TensorFlow, set its threads, and return the device it will use."""
    import tensorflow as tf

    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    if device == "cuda" and not has_gpu:
        raise ModelDeviceError("device is 'cuda', but TensorFlow finds no GPU; set it to 'cpu'")
    if threads and tf.config.threading.get_intra_op_parallelism_threads() != threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError as error:
            raise SettingsError(
                f"TensorFlow runs already, with other than the {threads} threads asked for; "
                "threads are set once per process"
            ) from error
    return "cuda" if has_gpu and device != "cpu" else "cpu"


def _load(path: Path) -> Any:
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        raise ModelFormatError(f"{path} cannot be opened as a Keras network: {error}") from error


def _compile(model: Any, spec: ClassifierSpec, device: str) -> Any:
    """The network as one graph: Keras's own `predict` is four times slower (DESIGN)."""
    import tensorflow as tf

    side = spec.input_size
    signature = [tf.TensorSpec((None, side, side, 3), tf.uint8)]

    # Without autograph, which writes the code that it makes into a temporary folder; there is
    # nothing to translate here.
    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator, unused-ignore]
    def run(crops: Any) -> Any:
        with tf.device("/GPU:0" if device == "cuda" else "/CPU:0"):
            pixels = tf.cast(crops, tf.float32)
            if spec.normalisation == "-1..1":
                pixels = pixels / 127.5 - 1.0
            return model(pixels, training=False)

    return run
