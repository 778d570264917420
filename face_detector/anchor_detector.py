"""The shared part of detectors like YuNet: scaling, batching, decoding."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from face_detector.anchors import STRIDES, Floats, in_frame, merged
from face_detector.detection import Detections
from models.onnx_session import session_device

Image = npt.NDArray[np.uint8]
BATCH_SIZES: Final = {"cpu": 1, "cuda": 16}
"""Frames in one run. On a CPU, one frame's activations fit into the cache: a batch of 8 took
10.4 ms per frame instead of 7.1 (docs/adr/0003). On a GPU, launching kernels dominates."""
WIDE_FROM_PX: Final = 960
"""From this width on, faces near the camera are larger than the network has learnt."""
MEANT_FOR_PX: Final = 640
ODDS_BY_WIDTH: Final = 0.72
"""A wider input shows more things that look like faces. With odds divided by this power of the
width, as many of them reach a score as at 640 px (2,114 training photographs, docs/adr/0057)."""


class AnchorDetector:
    """Finds faces in frames scaled to `input_width`; a subclass runs its network."""

    name: str
    near_width_px: int | None = None
    """Width at which the network looks again for faces that fill much of a wide input."""

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

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        """Find faces. Frames with equal shapes after scaling may share a run of the network.

        A wide input is joined by a narrow one where the network has a `near_width_px`
        (docs/adr/0057).
        """
        width = _round_up(width_px, STRIDES[-1]) if width_px else self._input_width
        found = self._at_width(frames, width)
        if self.near_width_px is None or width < WIDE_FROM_PX:
            return found
        near = self._at_width(frames, self.near_width_px)
        return [
            self._as_sure(merged(one, other, self.score_threshold), width)
            for one, other in zip(found, near, strict=True)
        ]

    def _as_sure(self, found: Detections, width: int) -> Detections:
        """Return faces with scores that say as much as those of an input of `MEANT_FOR_PX`."""
        odds = found.scores / np.maximum(1 - found.scores, np.float32(1e-6))
        odds = odds * np.float32((MEANT_FOR_PX / width) ** ODDS_BY_WIDTH)
        as_sure = replace(found, scores=(odds / (1 + odds)).astype(np.float32))
        return as_sure.where(as_sure.scores >= self.score_threshold)

    def _at_width(self, frames: Sequence[Image], width: int) -> list[Detections]:
        found = [Detections.empty()] * len(frames)
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, frame in enumerate(frames):
            if frame.size:
                by_shape[self.input_shape(frame, width)].append(index)
        for shape, indices in by_shape.items():
            for start in range(0, len(indices), self._batch_size):
                batch = indices[start : start + self._batch_size]
                answers = self.run(_planes([frames[i] for i in batch], shape))
                for index, rows in zip(batch, answers, strict=True):
                    size = (frames[index].shape[0], frames[index].shape[1])
                    found[index] = in_frame(rows, shape, size, self.score_threshold)
        return found

    def input_shape(self, frame: Image, width_px: int | None = None) -> tuple[int, int]:
        """The network input's (height, width) for a frame, multiples of the widest stride."""
        width = width_px or self._input_width
        height = max(1, round(frame.shape[0] * width / frame.shape[1]))
        return _round_up(height, STRIDES[-1]), width


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
