"""Draws faces and verdicts onto the frame they were found in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from contract.people.faces import Face
from contract.people.verdicts import Verdict
from contract.pictures.views import LARGE_VIEW_WIDTH
from worker.tracking.zones import Layout

Image = npt.NDArray[np.uint8]

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
LINE_BGR: Final = (92, 211, 255)
ZONE_BGR: Final = (240, 192, 124)
IGNORED_BGR: Final = (128, 156, 255)
"""As in the page on which they are drawn (`static/charts.css`)."""
OUTLINE_BGR: Final = (14, 11, 11)
"""Around each, so that it is seen on a bright picture as on a dark one."""
IGNORED_SHARE: Final = 0.3
"""How much of an ignored area's colour covers the picture."""
_DARK_TEXT: Final = (24, 20, 16)
_FONT: Final = cv2.FONT_HERSHEY_DUPLEX


def annotate(
    frame: Image,
    faces: Sequence[Face],
    layout: Layout | None = None,
    width: int = LARGE_VIEW_WIDTH,
) -> bytes:
    """Return a JPEG of `draw`'s picture."""
    picture = draw(frame, faces, layout, width)
    encoded, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, VIEW_QUALITY])
    if not encoded:
        raise RuntimeError(f"OpenCV could not encode a picture of shape {picture.shape}")
    return jpeg.tobytes()


def draw(
    frame: Image,
    faces: Sequence[Face],
    layout: Layout | None = None,
    width: int = LARGE_VIEW_WIDTH,
) -> Image:
    """Return `frame`, `(H, W, 3)` uint8 BGR, with its faces, at most `width` px wide.

    The camera's lines, zones and ignored areas are drawn below them. `frame` itself is
    not changed.
    """
    scale = min(1.0, width / frame.shape[1])
    picture = frame.copy()
    if scale < 1.0:
        size = (width, round(frame.shape[0] * scale))
        picture = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
    if layout is not None and not layout.is_empty:
        _draw_layout(picture, layout, scale)
    for face in sorted(faces, key=lambda face: face.box[3] - face.box[1]):
        _draw_face(picture, face, scale)
    return picture


def _draw_layout(picture: Image, layout: Layout, scale: float) -> None:
    tinted = picture.copy()
    for points in layout.ignored:
        cv2.fillPoly(tinted, [_scaled(points, scale)], IGNORED_BGR, cv2.LINE_AA)
    if layout.ignored:
        picture[:] = cv2.addWeighted(tinted, IGNORED_SHARE, picture, 1 - IGNORED_SHARE, 0)
    for points in layout.ignored:
        _outline(picture, _scaled(points, scale), True, IGNORED_BGR)
    for name, points in layout.zones:
        _outline(picture, _scaled(points, scale), True, ZONE_BGR)
        _write(picture, name, _scaled(points, scale)[0], ZONE_BGR)
    for name, points in layout.lines:
        corners = _scaled(points, scale)
        _outline(picture, corners, False, LINE_BGR)
        _draw_way_in(picture, corners)
        _write(picture, name, corners[0], LINE_BGR)


def _outline(
    picture: Image, corners: npt.NDArray[np.int32], closed: bool, colour: tuple[int, int, int]
) -> None:
    width = max(2, round(picture.shape[1] / 480))
    cv2.polylines(picture, [corners], closed, OUTLINE_BGR, width + 2, cv2.LINE_AA)
    cv2.polylines(picture, [corners], closed, colour, width, cv2.LINE_AA)


def _draw_way_in(picture: Image, corners: npt.NDArray[np.int32]) -> None:
    """An arrow across the middle piece of a line, the way that counts as `in`."""
    middle = (len(corners) - 1) // 2
    start, end = corners[middle].astype(float), corners[middle + 1].astype(float)
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1.0)
    right = np.array([-along[1], along[0]])  # y points down
    foot = (start + end) / 2
    tip = foot + right * picture.shape[1] / 40
    ends = [(round(float(x)), round(float(y))) for x, y in (foot, tip)]
    for colour, width in ((OUTLINE_BGR, 4), (LINE_BGR, 2)):
        cv2.arrowedLine(picture, ends[0], ends[1], colour, width, cv2.LINE_AA, tipLength=0.4)


def _write(
    picture: Image, words: str, place: npt.NDArray[np.int32], colour: tuple[int, int, int]
) -> None:
    size = max(0.36, picture.shape[1] / 2800)
    plain = words.encode("ascii", "replace").decode()  # OpenCV's fonts have no other letters
    where = int(place[0]) + 4, int(place[1]) - 4
    cv2.putText(picture, plain, where, _FONT, size, OUTLINE_BGR, 3, cv2.LINE_AA)
    cv2.putText(picture, plain, where, _FONT, size, colour, 1, cv2.LINE_AA)


def _scaled(points: Sequence[tuple[float, float]], scale: float) -> npt.NDArray[np.int32]:
    return np.round(np.array(points) * scale).astype(np.int32)


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
