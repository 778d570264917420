"""The shared part of detectors like YuNet: scaling, batching, decoding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from face_detector.anchors import STRIDES, Floats, in_frame
from face_detector.detection import Detections
from models.onnx_session import session_device

Image = npt.NDArray[np.uint8]
BATCH_SIZES: Final = {"cpu": 1, "cuda": 16}
"""Frames in one run. On a CPU, one frame's activations fit into the cache: a batch of 8 took
10.4 ms per frame instead of 7.1 (docs/adr/0003). On a GPU, launching kernels dominates."""


class AnchorDetector:
    """Finds faces in frames scaled to `input_width`; a subclass runs its network."""

    name: str

    def __init__(
        self,
        session: ort.InferenceSession,
        *,
        input_width: int,
        score_threshold: float,
        batch_size: int | None,
    ) -> None:
        self._session = session
        self._input_width = _round_up(input_width, STRIDES[-1])
        self.score_threshold = score_threshold
        self.sure_score = score_threshold
        self.device = session_device(session)
        self._batch_size = batch_size or BATCH_SIZES[self.device]

    def run(self, planes: Floats) -> Iterable[Floats]:
        """The network's answer for (N, 3, H, W) float32 BGR, 0 to 255: (anchors, 16) each.

        In the form for `anchors.decode`: class and objectness are probabilities.
        """
        raise NotImplementedError

    def bare_run(self, planes: Image) -> Callable[[], object]:
        """Return a function that runs only the network on (N, 3, H, W) uint8 pixels, for timing."""
        [pixels] = self._session.get_inputs()
        feed = {pixels.name: planes if "uint8" in pixels.type else planes.astype(np.float32)}
        return lambda: self._session.run(None, feed)

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """Find faces. Frames with equal shapes after scaling may share a run of the network."""
        found = [Detections.empty()] * len(frames)
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, frame in enumerate(frames):
            if frame.size:
                by_shape[self.input_shape(frame)].append(index)
        for shape, indices in by_shape.items():
            for start in range(0, len(indices), self._batch_size):
                batch = indices[start : start + self._batch_size]
                answers = self.run(_planes([frames[i] for i in batch], shape))
                for index, rows in zip(batch, answers, strict=True):
                    size = (frames[index].shape[0], frames[index].shape[1])
                    found[index] = in_frame(rows, shape, size, self.score_threshold)
        return found

    def input_shape(self, frame: Image) -> tuple[int, int]:
        """The network input's (height, width) for a frame, multiples of the widest stride."""
        height = max(1, round(frame.shape[0] * self._input_width / frame.shape[1]))
        return _round_up(height, STRIDES[-1]), self._input_width


def _planes(frames: list[Image], shape: tuple[int, int]) -> Floats:
    """(N, 3, H, W) float32, 0 to 255: each frame scaled to the width, black below."""
    # Convert to floats here, because a layer of the network would cost 0.3 ms per frame.
    planes = np.zeros((len(frames), 3, *shape), np.float32)
    for row, frame in zip(planes, frames, strict=True):
        scaled = _scale_to_width(frame, shape[1])
        for channel, plane in enumerate(cv2.split(scaled)):
            row[channel, : scaled.shape[0]] = plane
    return planes


def _scale_to_width(frame: Image, width: int) -> Image:
    if frame.shape[1] == width:
        return frame
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple
