"""The mask classifier in TensorFlow: the same weights, for where TensorFlow is wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError, ModelNotFoundError, SettingsError
from contract.verdicts import JUDGED_VERDICTS
from models.mask_classifier import ClassifierSpec


class TensorFlowMaskClassifier:
    """A `MaskClassifier` from a `.keras` file and the `.json` beside it, its `ClassifierSpec`.

    TensorFlow is imported here and not before: it takes seconds and hundreds of megabytes.
    """

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        self._spec = _read_spec(path.with_suffix(".json"))
        self.device = _prepare_tensorflow(device, threads)
        self._run = _compile(path, self._spec.input_size, self.device)
        self.labels: tuple[str, ...] = JUDGED_VERDICTS
        self.input_size = self._spec.input_size
        self.margin = self._spec.margin

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `MaskClassifier.classify`; one run of the network for the whole batch."""
        if not len(crops):
            return np.zeros((0, len(self.labels)), np.float32)
        return self._spec.to_probabilities(self._run(self._spec.to_input(crops)).numpy())


def _read_spec(path: Path) -> ClassifierSpec:
    try:
        metadata = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise ModelNotFoundError(f"{path} is missing: it says how to use the network") from error
    except ValueError as error:
        raise ModelFormatError(f"{path} is not JSON: {error}") from error
    return ClassifierSpec.from_metadata(metadata, str(path))


def _prepare_tensorflow(device: str, threads: int) -> str:
    """Import TensorFlow, set its threads, and return the device it will use."""
    import tensorflow as tf

    has_gpu = bool(tf.config.list_physical_devices("GPU"))
    if device == "cuda" and not has_gpu:
        raise SettingsError("device is 'cuda', but TensorFlow finds no GPU; set it to 'cpu'")
    if threads and tf.config.threading.get_intra_op_parallelism_threads() != threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        except RuntimeError as error:
            raise SettingsError(
                f"TensorFlow runs already, with other than the {threads} threads asked for; "
                "threads are set once per process"
            ) from error
    return "cuda" if has_gpu and device != "cpu" else "cpu"


def _compile(path: Path, input_size: int, device: str) -> Any:
    """The network as one graph: Keras's own `predict` is four times slower (DESIGN)."""
    import keras
    import tensorflow as tf

    try:
        model = keras.models.load_model(path, compile=False)
    except (ValueError, OSError, TypeError) as error:
        raise ModelFormatError(f"{path} cannot be opened as a Keras network: {error}") from error
    signature = [tf.TensorSpec((None, input_size, input_size, 3), tf.uint8)]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator, unused-ignore]
    def run(crops: Any) -> Any:
        with tf.device("/GPU:0" if device == "cuda" else "/CPU:0"):
            return model(tf.cast(crops, tf.float32), training=False)

    return run
