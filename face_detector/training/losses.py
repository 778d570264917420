"""The detector's training loss, in Keras operations only, so that it runs on any backend.

The recipe is YuNet's own: SimOTA assignment (Ge et al., "YOLOX", 2021) decides which anchors
answer for a face, by what the network says at that moment; those learn class, objectness, box
(EIoU, Peng and Yu, 2021) and landmarks (smooth L1), all others that nothing is there, or what
a teacher says of them (see `pack_targets`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from keras import ops

from face_detector.anchors import STRIDES, Floats, anchors

MAX_FACES: Final = 40
"""Most faces of a crop; further ones are ignored."""
FACE_COLUMNS: Final = 16
"""Columns of a face: weight (0: an empty row), x_min, y_min, x_max, y_max, whether the landmarks
are known, the landmarks' x and y. In pixels of the crop."""
REACH: Final = 5
"""Cells in a row around a face's centre that may answer for it: within 2.5 strides, as YuNet's."""
CANDIDATES: Final = REACH * REACH * len(STRIDES)
MOST_ANSWERS: Final = 10  # as YuNet's
IOU_COST: Final = 3.0  # as YuNet's
NEVER: Final = 1e5
BOX_WEIGHT, LANDMARKS_WEIGHT = 5.0, 0.1  # as YuNet's
SMOOTH: Final = 1 / 9
TINY: Final = 1e-7


def pack_targets(faces: Floats, ignored: Floats, side_px: int, teacher: Floats | None) -> Floats:
    """One crop's targets as the loss takes them: MAX_FACES * 16 + anchors * 3 float32.

    faces: (up to MAX_FACES, 16), see `FACE_COLUMNS`; ignored: (M, 4) regions. teacher:
    (anchors, 2) class and objectness, as probabilities, that another network gives.

    After the faces follow for each anchor, should it be background: its weight, and the class
    and objectness to learn. Objectness is 0 outside of ignored regions; inside, and for the
    class everywhere, the teacher's word counts: it keeps a network that began as its copy from
    seeing faces where nobody looked. Without a teacher both are 0, and ignored regions weigh 0.
    """
    rows = np.zeros((MAX_FACES, FACE_COLUMNS), np.float32)
    rows[: len(faces)] = faces
    inside = _inside_any(ignored, side_px)
    nothing = np.zeros((len(inside), 3), np.float32)
    nothing[:, 0] = 1 if teacher is not None else ~inside
    if teacher is not None:
        nothing[:, 1] = teacher[:, 0]
        nothing[inside, 2] = teacher[inside, 1]
    return np.concatenate([rows.ravel(), nothing.ravel()])


def _inside_any(regions: Floats, side_px: int) -> npt.NDArray[np.bool_]:
    """Whether each anchor's centre is in one of (M, 4) regions: (anchors,)."""
    table = anchors(side_px, side_px)
    x, y = (table[:, axis, None] + table[:, 2:] / 2 for axis in (0, 1))
    inside = (x >= regions[:, 0]) & (x < regions[:, 2]) & (y >= regions[:, 1]) & (y < regions[:, 3])
    return np.asarray(inside.any(axis=1))


class DetectionLoss:
    """A loss for `model.compile`: packed targets and outputs (N, anchors, 16) to (N,)."""

    __name__ = "detection_loss"

    def __init__(self, side_px: int) -> None:
        """`side_px` is the crops' side."""
        self._side_px = side_px
        self._table = anchors(side_px, side_px)

    def __call__(self, targets: Any, outputs: Any) -> Any:
        """Each crop's share of the loss; their mean is the loss an answering anchor."""
        outputs = ops.cast(outputs, "float32")
        size = MAX_FACES * FACE_COLUMNS
        faces = ops.reshape(targets[:, :size], (-1, MAX_FACES, 1, FACE_COLUMNS))
        background = ops.reshape(targets[:, size:], (-1, len(self._table), 3))
        index, possible = self._candidates(faces)
        said, table = _take(outputs, index), ops.take(ops.convert_to_tensor(self._table), index, 0)
        boxes = _decode(said, table)
        overlap = ops.stop_gradient(_iou(boxes, faces[..., 1:5]))
        possible = possible * _nearest(table, faces)
        answers = ops.stop_gradient(_answers(said, overlap, possible))
        weight, objectness = faces[..., 0], said[..., 1]
        learnt = (
            _cross_entropy(said[..., 0], overlap)
            + ops.softplus(-objectness)
            + BOX_WEIGHT * _eiou_loss(boxes, faces[..., 1:5])
            + LANDMARKS_WEIGHT * _landmark_loss(said, table, faces)
        )
        nothing = _nothing(outputs, background)
        # What answers for a face is no background, though its anchor was counted as such.
        undone = _nothing(said, _take(background, index))
        loss = ops.sum(nothing, axis=1) + ops.sum(answers * (weight * learnt - undone), axis=(1, 2))
        return loss / ops.maximum(ops.mean(ops.sum(answers, axis=(1, 2))), 1)

    def _candidates(self, faces: Any) -> tuple[Any, Any]:
        """The anchors around each face's centre, and whether they exist: (N, faces, 75)."""
        centre = (faces[..., 1:3] + faces[..., 3:5]) / 2
        index, exists, first = [], [], 0
        for stride in STRIDES:
            cells = self._side_px // stride
            corner = ops.ceil(centre / stride - (REACH + 1) / 2)
            columns = corner[..., :1] + np.tile(np.arange(REACH, dtype=np.float32), REACH)
            rows = corner[..., 1:] + np.repeat(np.arange(REACH, dtype=np.float32), REACH)
            columns, rows = columns[:, :, 0], rows[:, :, 0]
            exists.append((columns >= 0) & (rows >= 0) & (columns < cells) & (rows < cells))
            index.append(
                first + ops.clip(rows, 0, cells - 1) * cells + ops.clip(columns, 0, cells - 1)
            )
            first += cells * cells
        real = faces[..., 0] > 0
        possible = ops.cast(ops.concatenate(exists, axis=-1) & real, "float32")
        return ops.cast(ops.concatenate(index, axis=-1), "int32"), possible


def _nothing(outputs: Any, background: Any) -> Any:
    """The loss of anchors (..., 16) as background (..., 3), see `pack_targets`."""
    class_loss = _cross_entropy(outputs[..., 0], background[..., 1])
    return background[..., 0] * (class_loss + _cross_entropy(outputs[..., 1], background[..., 2]))


def _take(values: Any, index: Any) -> Any:
    """Rows of (N, anchors, C) by (N, faces, K) anchors: (N, faces, K, C)."""
    anchor_count, channels = values.shape[1], values.shape[2]
    first = ops.arange(ops.shape(values)[0], dtype="int32")[:, None, None] * anchor_count
    return ops.take(ops.reshape(values, (-1, channels)), index + first, axis=0)


def _decode(said: Any, table: Any) -> Any:
    """(..., 4) boxes in pixels."""
    corners, strides = table[..., :2], table[..., 2:]
    centres = said[..., 2:4] * strides + corners
    sizes = ops.exp(ops.clip(said[..., 4:6], -6.0, 6.0)) * strides
    return ops.concatenate([centres - sizes / 2, centres + sizes / 2], axis=-1)


def _nearest(table: Any, faces: Any) -> Any:
    """Whether no other face's centre is nearer to an anchor: (N, faces, 75), 0 or 1."""
    x, y = (table[..., axis] + table[..., 2] / 2 for axis in (0, 1))
    centre = (faces[:, :, 0, 1:3] + faces[:, :, 0, 3:5]) / 2
    away = (1 - ops.cast(faces[:, :, 0, 0] > 0, "float32")) * NEVER
    other_x, other_y = (centre[..., axis][:, None, None] for axis in (0, 1))
    squares = (x[..., None] - other_x) ** 2 + (y[..., None] - other_y) ** 2
    least = ops.min(squares + away[:, None, None] * NEVER, axis=-1)
    own = (x - centre[..., :1]) ** 2 + (y - centre[..., 1:]) ** 2
    return ops.cast(own <= least + TINY, "float32")


def _answers(said: Any, overlap: Any, possible: Any) -> Any:
    """Which candidates answer for their face, 0 or 1.

    Those of least cost: as many as the face's ten best overlaps add up to, at least one.
    """
    overlap = overlap * possible
    score = ops.sqrt(ops.sigmoid(said[..., 0]) * ops.sigmoid(said[..., 1]))
    cost = -ops.log(score + TINY) - IOU_COST * ops.log(overlap + TINY) + (1 - possible) * NEVER
    best = ops.top_k(overlap, MOST_ANSWERS, sorted=False)[0]
    count = ops.maximum(ops.cast(ops.sum(best, axis=-1), "int32"), 1)
    cheapest = -ops.top_k(-cost, MOST_ANSWERS)[0]
    last = ops.one_hot(ops.minimum(count, MOST_ANSWERS) - 1, MOST_ANSWERS)
    bar = ops.sum(cheapest * last, axis=-1, keepdims=True)
    return ops.cast(cost <= bar, "float32") * possible


def _iou(a: Any, b: Any) -> Any:
    """Intersection over union of xyxy boxes, broadcast over all but the last axis."""
    sides = ops.minimum(a[..., 2:], b[..., 2:]) - ops.maximum(a[..., :2], b[..., :2])
    shared = ops.prod(ops.maximum(sides, 0), axis=-1)
    whole = ops.prod(a[..., 2:] - a[..., :2], -1) + ops.prod(b[..., 2:] - b[..., :2], -1) - shared
    return shared / (whole + TINY)


def _eiou_loss(boxes: Any, wanted: Any) -> Any:
    """1 - EIoU: overlap, then distance of centres, widths and heights over the hull's."""
    hull = ops.maximum(boxes[..., 2:], wanted[..., 2:]) - ops.minimum(
        boxes[..., :2], wanted[..., :2]
    )
    apart = (boxes[..., :2] + boxes[..., 2:] - wanted[..., :2] - wanted[..., 2:]) / 2
    sizes = (boxes[..., 2:] - boxes[..., :2]) - (wanted[..., 2:] - wanted[..., :2])
    centres = ops.sum(apart**2, -1) / (ops.sum(hull**2, -1) + TINY)
    return 1 - _iou(boxes, wanted) + centres + ops.sum(sizes**2 / (hull**2 + TINY), -1)


def _cross_entropy(logits: Any, target: Any) -> Any:
    """Binary cross-entropy with soft targets, safe for large logits."""
    return ops.maximum(logits, 0) - logits * target + ops.softplus(-ops.abs(logits))


def _landmark_loss(said: Any, table: Any, faces: Any) -> Any:
    """Smooth L1 in strides, 0 where the landmarks are not known."""
    corners = ops.tile(table[..., :2], (1, 1, 1, 5))
    apart = ops.abs(said[..., 6:16] - (faces[..., 6:16] - corners) / table[..., 2:])
    smooth = ops.where(apart < SMOOTH, apart * apart / (2 * SMOOTH), apart - SMOOTH / 2)
    return ops.mean(smooth, axis=-1) * faces[..., 5]
