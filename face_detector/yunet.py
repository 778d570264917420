"""YuNet in ONNX Runtime: the default detector.

The network: Wu et al., "YuNet: A Tiny Millisecond-level Face Detector" (2023); its file is
OpenCV Zoo's `face_detection_yunet_2023mar.onnx`. Ours is the decoding: OpenCV's own wrapper
(`cv2.FaceDetectorYN`) decodes anchor by anchor, one frame at a time, in cv2.dnn, three times
slower than the same network in ONNX Runtime (docs/adr/0003).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import onnx

from contract.errors import ModelFormatError
from face_detector.detection import Detections, clip_boxes, has_area
from models.onnx_session import open_session, session_device

STRIDES: Final = (8, 16, 32)
HEADS: Final = ("cls", "obj", "bbox", "kps")
DEFAULT_SCORE_THRESHOLD: Final = 0.6
NMS_IOU_THRESHOLD: Final = 0.3  # cv2.FaceDetectorYN's default
MAX_CANDIDATES: Final = 5000  # likewise, its top_k
BATCH_SIZES: Final = {"cpu": 1, "cuda": 16}
"""Frames in one run. On a CPU one frame's activations stay in the cache: a batch of 8 took
10.4 ms a frame instead of 7.1 (docs/adr/0003). On a GPU, launching is what costs."""

Heads = dict[str, npt.NDArray[np.float32]]
"""One frame's outputs by name, "cls_8" .. "kps_32": (anchors, 1, 1, 4 or 10) float32."""


class YuNetDetector:
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
        self._session = open_session(_with_free_shape(path), device=device, threads=threads)
        self._outputs = [f"{head}_{stride}" for stride in STRIDES for head in HEADS]
        self._input_width = _round_up(input_width, STRIDES[-1])
        self._score_threshold = score_threshold
        self.device = session_device(self._session)
        self._batch_size = batch_size or BATCH_SIZES[self.device]

    def detect(self, frames: Sequence[npt.NDArray[np.uint8]]) -> list[Detections]:
        """Find faces; frames that come out equally shaped may share a run of the network."""
        found = [Detections.empty()] * len(frames)
        by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, frame in enumerate(frames):
            if frame.size:
                by_shape[self._input_shape(frame)].append(index)
        for shape, indices in by_shape.items():
            for start in range(0, len(indices), self._batch_size):
                batch = indices[start : start + self._batch_size]
                heads_by_frame = self._run([frames[i] for i in batch], shape)
                for index, heads in zip(batch, heads_by_frame, strict=True):
                    found[index] = self._decode(heads, shape, frames[index])
        return found

    def _input_shape(self, frame: npt.NDArray[np.uint8]) -> tuple[int, int]:
        """The network input's (height, width) for a frame, multiples of the widest stride."""
        height = max(1, round(frame.shape[0] * self._input_width / frame.shape[1]))
        return _round_up(height, STRIDES[-1]), self._input_width

    def _run(self, frames: list[npt.NDArray[np.uint8]], shape: tuple[int, int]) -> list[Heads]:
        canvas = np.zeros((len(frames), *shape, 3), np.float32)
        for row, frame in zip(canvas, frames, strict=True):
            scaled = _scale_to_width(frame, shape[1])
            row[: scaled.shape[0]] = scaled
        blob = np.ascontiguousarray(canvas.transpose(0, 3, 1, 2))
        outputs = self._session.run(self._outputs, {"input": blob})
        # The graph folds the batch into its anchor axis, frame after frame.
        unfolded = {
            name: np.asarray(output).reshape(len(frames), -1, output.shape[-1])
            for name, output in zip(self._outputs, outputs, strict=True)
        }
        return [{name: head[i] for name, head in unfolded.items()} for i in range(len(frames))]

    def _decode(
        self, heads: Heads, shape: tuple[int, int], frame: npt.NDArray[np.uint8]
    ) -> Detections:
        """From one frame's heads to faces in that frame's pixels."""
        boxes, scores, landmarks = decode(heads, shape, self._score_threshold)
        height, width = frame.shape[:2]
        scale = np.float32(width / shape[1])
        boxes = clip_boxes(boxes * scale, width, height)
        kept = np.flatnonzero(has_area(boxes))
        kept = kept[suppress(boxes[kept], scores[kept], self._score_threshold)]
        return Detections(boxes[kept], scores[kept], landmarks[kept] * scale)


def decode(
    heads: Heads, shape: tuple[int, int], score_threshold: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Boxes (N, 4) xyxy, scores (N,) and landmarks (N, 5, 2) above the threshold.

    All in pixels of the network's input, whose (height, width) is `shape`; not yet
    suppressed. An anchor is the top-left corner of its cell; centres and landmarks are
    offsets from it in strides, sizes are exponents, and the score is the geometric mean of
    class and objectness (after OpenCV's `face_detect.cpp`).
    """
    boxes, scores, landmarks = [], [], []
    for stride in STRIDES:
        certainty = heads[f"cls_{stride}"][:, 0] * heads[f"obj_{stride}"][:, 0]
        hits = np.flatnonzero(certainty >= score_threshold * score_threshold)
        anchors = _anchors(shape[0] // stride, shape[1] // stride)[hits]
        offsets = heads[f"bbox_{stride}"][hits]
        centres, halves = anchors + offsets[:, :2], np.exp(offsets[:, 2:]) / 2
        boxes.append(np.hstack([centres - halves, centres + halves]) * stride)
        points = heads[f"kps_{stride}"][hits].reshape(-1, 5, 2)
        landmarks.append((points + anchors[:, None]) * stride)
        scores.append(np.sqrt(np.clip(certainty[hits], 0, 1)))
    return (
        np.concatenate(boxes).astype(np.float32, copy=False),
        np.concatenate(scores).astype(np.float32, copy=False),
        np.concatenate(landmarks).astype(np.float32, copy=False),
    )


def suppress(
    boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], score_threshold: float
) -> npt.NDArray[np.intp]:
    """Indices of the boxes that survive non-maximum suppression, best score first."""
    if not len(boxes):
        return np.zeros(0, np.intp)
    xywh = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
    kept = cv2.dnn.NMSBoxes(
        xywh.tolist(),
        scores.tolist(),
        score_threshold,
        NMS_IOU_THRESHOLD,
        top_k=MAX_CANDIDATES,
    )
    return np.asarray(kept, np.intp).reshape(-1)


@lru_cache(maxsize=32)
def _anchors(rows: int, columns: int) -> npt.NDArray[np.float32]:
    """(rows * columns, 2) float32 `(x, y)` of the cells, row by row."""
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _scale_to_width(frame: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    if frame.shape[1] == width:
        return frame
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    return np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _with_free_shape(path: Path) -> bytes:
    """The network with its batch, height and width left open.

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
