"""Classifiers by runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from contract.errors import ModelNotFoundError, SettingsError
from models.files import find_model
from models.mask_classifier import MaskClassifier
from models.onnx_classifier import OnnxMaskClassifier
from models.onnx_session import DEVICES

RUNTIMES: Final[tuple[str, ...]] = ("onnx", "tensorflow")
KERAS_SUFFIXES: Final = (".keras", ".h5", ".hdf5", ".model")


def load_classifier(
    runtime: str = "onnx",
    *,
    path: Path | None = None,
    device: str = "auto",
    threads: int = 0,
) -> MaskClassifier:
    """Load a mask classifier in one of `RUNTIMES`.

    `path` None takes the one that ships with Maskwatch; otherwise a `.onnx` file, or for
    "tensorflow" a Keras file (see `models.tensorflow_classifier`). `device` is "auto", "cpu" or
    "cuda"; `threads` 0 means one per core.

    Raises SettingsError for an unknown runtime or device, ModelNotFoundError,
    ModelChecksumError or ModelFormatError for a file that cannot be used.
    """
    if runtime not in RUNTIMES:
        raise SettingsError(f"the runtime must be one of {', '.join(RUNTIMES)}, not {runtime!r}")
    if device not in DEVICES:
        raise SettingsError(f"device must be one of {', '.join(DEVICES)}, not {device!r}")
    if path is not None and not path.is_file():
        raise ModelNotFoundError(f"there is no classifier file {path}; check the path")
    if path is not None and runtime == "onnx" and path.suffix in KERAS_SUFFIXES:
        raise SettingsError(
            f"{path} is a Keras file, which ONNX Runtime does not run; set "
            "MASKWATCH_CLASSIFIER_RUNTIME=tensorflow, or export it to ONNX"
        )
    if runtime == "onnx":
        return OnnxMaskClassifier(
            path or find_model("mask-classifier"), device=device, threads=threads
        )
    # Not at the top: this module must not cost those TensorFlow who do not use it.
    from models.tensorflow_classifier import TensorFlowMaskClassifier

    return TensorFlowMaskClassifier(
        path or find_model("mask-classifier-keras"), device=device, threads=threads
    )
