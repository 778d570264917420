"""The mask classifier in ONNX Runtime: the default."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from contract.errors import ModelFormatError
from contract.people.verdicts import VERDICTS
from models.mask_classifier import ClassifierSpec
from models.onnx_session import open_session, session_device


class OnnxMaskClassifier:
    """A `MaskClassifier` from an ONNX file whose metadata hold its `ClassifierSpec`."""

    def __init__(self, path: Path, *, device: str = "cpu", threads: int = 0) -> None:
        self._session = open_session(path, device=device, threads=threads)
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._spec = ClassifierSpec.from_metadata(metadata, str(path))
        self._input = _crops_input(self._session, self._spec, path)
        self.labels: tuple[str, ...] = VERDICTS
        self.input_size = self._spec.input_size
        self.margin = self._spec.margin
        self.threshold = self._spec.threshold
        self.device = session_device(self._session)

    def classify(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """See `MaskClassifier.classify`; one run of the network for the whole batch, or two."""
        if not len(crops):
            return np.zeros((0, len(self.labels)), np.float32)
        return self._spec.judge(crops, self._outputs)

    def _outputs(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        (outputs,) = self._session.run(None, {self._input: crops})
        return np.asarray(outputs, np.float32)


def _crops_input(session: object, spec: ClassifierSpec, path: Path) -> str:
    """The name of the network's one input, after checking that it takes uint8 crops."""
    inputs = session.get_inputs()  # type: ignore[attr-defined]
    shape, side = [list(one.shape[1:]) for one in inputs], spec.input_size
    if shape != [[side, side, 3]] or inputs[0].type != "tensor(uint8)":
        raise ModelFormatError(
            f"{path} takes {[(one.type, one.shape) for one in inputs]}, expected one input "
            f"of uint8 (N, {side}, {side}, 3)"
        )
    return str(inputs[0].name)
