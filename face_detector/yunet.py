"""YuNet in ONNX Runtime.

The network: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023); its file is
OpenCV Zoo's `face_detection_yunet_2023mar.onnx`. We decode its output ourselves: OpenCV's wrapper
(`cv2.FaceDetectorYN`) decodes anchor by anchor, one frame at a time, in cv2.dnn, three times
slower than the same network in ONNX Runtime (docs/adr/0003).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from contract.errors import ModelFormatError
from face_detector.anchor_detector import AnchorDetector
from face_detector.anchors import HEADS, STRIDES, Floats
from models.onnx_session import open_session

DEFAULT_SCORE_THRESHOLD: Final = 0.6


class YuNetDetector(AnchorDetector):
    """Finds faces of about 10 px and up in frames scaled to `input_width`."""

    name = "yunet"

    def __init__(
        self,
        path: Path,
        *,
        input_width: int = 640,
        score_threshold: float = DEFAULT_SCORE_THRESHOLD,
        device: str = "cpu",
        threads: int = 0,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(
            open_session(_with_free_shape(path), device=device, threads=threads),
            input_width=input_width,
            score_threshold=score_threshold,
            batch_size=batch_size,
        )
        self._outputs = [f"{head}_{stride}" for head in HEADS for stride in STRIDES]

    def run(self, planes: Floats) -> Iterable[Floats]:
        """Return the twelve outputs as one array per frame."""
        outputs = self._session.run(self._outputs, {"input": planes})
        # The graph folds the batch into its anchor axis, frame after frame.
        parts = [
            np.asarray(output).reshape(len(planes), -1, output.shape[-1]) for output in outputs
        ]
        levels = len(STRIDES)
        heads = [
            np.concatenate(parts[start : start + levels], axis=1)
            for start in range(0, len(parts), levels)
        ]
        return np.concatenate(heads, axis=2)


def _with_free_shape(path: Path) -> bytes:
    """Return the network with variable batch, height and width.

    The published file declares 1x3x640x640, but nothing inside depends on it: its layers are
    convolutional and its upsampling is by factors. Raises ModelFormatError on another network.
    """
    try:
        network = onnx.load(str(path))
        (frames,) = network.graph.input
        names = {output.name for output in network.graph.output}
    except Exception as error:  # protobuf's errors share no public base class with onnx's
        raise ModelFormatError(f"{path} is not readable as YuNet: {error}") from error
    missing = {f"{head}_{stride}" for stride in STRIDES for head in HEADS} - names
    if missing:
        raise ModelFormatError(f"{path} is not YuNet: it lacks the outputs {sorted(missing)}")
    for axis, symbol in ((0, "batch"), (2, "height"), (3, "width")):
        frames.type.tensor_type.shape.dim[axis].dim_param = symbol
    del network.graph.value_info[:]
    for output in network.graph.output:
        output.type.tensor_type.ClearField("shape")
    return bytes(network.SerializeToString())
