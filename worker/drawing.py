"""Draws faces and verdicts onto the frame they were found in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.outcomes import Face
from contract.verdicts import Verdict

Image = npt.NDArray[np.uint8]

VIEW_WIDTH: Final = 1280
VIEW_QUALITY: Final = 80

COLOURS_BGR: Final[dict[Verdict, tuple[int, int, int]]] = {
    "mask": (163, 179, 43),
    "incorrect": (59, 169, 242),
    "no_mask": (46, 87, 228),
    "unknown": (177, 165, 154),
}
"""The dashboard's palette (#2BB3A3, #F2A93B, #E4572E, #9AA5B1), told apart by colour-blind eyes."""

LABELS: Final[dict[Verdict, str]] = {
    "mask": "mask",
    "incorrect": "incorrect",
    "no_mask": "no mask",
    "unknown": "?",
}
_DARK_TEXT: Final = (24, 20, 16)
_FONT: Final = cv2.FONT_HERSHEY_DUPLEX


def annotate(frame: Image, faces: Sequence[Face]) -> bytes:
    """Return a JPEG of `frame`, `(H, W, 3)` uint8 BGR, with its faces, at most 1280 px wide.

    `frame` itself is not changed.
    """
    scale = min(1.0, VIEW_WIDTH / frame.shape[1])
    picture = frame.copy()
    if scale < 1.0:
        size = (VIEW_WIDTH, round(frame.shape[0] * scale))
        picture = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    for face in sorted(faces, key=lambda face: face.box[3] - face.box[1]):
        _draw_face(picture, face, scale)
    encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, VIEW_QUALITY])
    if not encoded:
        raise RuntimeError(f"OpenCV could not encode a picture of shape {picture.shape}")
    return jpeg.tobytes()


def _draw_face(picture: Image, face: Face, scale: float) -> None:
    x_min, y_min, x_max, y_max = (round(edge * scale) for edge in face.box)
    colour = COLOURS_BGR[face.verdict]
    thickness = max(1, round(picture.shape[1] / 640))
    cv2.rectangle(picture, (x_min, y_min), (x_max, y_max), colour, thickness, cv2.LINE_AA)
    text = LABELS[face.verdict]
    if face.verdict != "unknown":
        text += f" {face.confidence * 100:.0f}"
    _draw_label(picture, text, x_min, y_min, colour)


def _draw_label(picture: Image, text: str, x: int, y: int, colour: tuple[int, int, int]) -> None:
    size = max(0.36, picture.shape[1] / 2800)
    (width, height), baseline = cv2.getTextSize(text, _FONT, size, 1)
    pad = 2
    box_height = height + baseline + pad
    left = int(np.clip(x, 0, max(0, picture.shape[1] - width - 2 * pad)))
    top = y - box_height if y >= box_height else y
    cv2.rectangle(
        picture, (left, top), (left + width + 2 * pad, top + box_height), colour, cv2.FILLED
    )
    origin = (left + pad, top + height + pad // 2)
    cv2.putText(picture, text, origin, _FONT, size, _DARK_TEXT, 1, cv2.LINE_AA)
