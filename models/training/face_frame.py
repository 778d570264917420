"""A face's own axes, and painting on them: masks and occluders are placed by landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

Image = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

MIN_EYE_DISTANCE_PX: Final = 9.0
MAX_TURN: Final = 0.5
"""Faces turned further (nose from the middle, in eye distances) are not painted on."""
_FINE: Final = 4
"""OpenCV draws with this many bits of a pixel."""


def can_be_painted(landmarks: npt.NDArray[np.float32] | None) -> bool:
    """Whether (5, 2) landmarks show a face large and frontal enough to paint on."""
    if landmarks is None:
        return False
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    eyes = left_eye - right_eye
    distance = float(np.hypot(*eyes))
    height = float(np.hypot(*((right_mouth + left_mouth - right_eye - left_eye) / 2)))
    if distance < MIN_EYE_DISTANCE_PX or height < 0.6 * distance:
        return False
    offset = float(np.dot(nose - (right_eye + left_eye) / 2, eyes)) / distance**2
    return abs(offset) < MAX_TURN


class FaceFrame:
    """x in eye distances from between the eyes, y in eye-to-mouth heights: the mouth is at 1.

    `landmarks` is (5, 2): the person's right eye, left eye, nose tip, mouth corners.
    """

    def __init__(self, landmarks: npt.NDArray[np.float32]) -> None:
        right_eye, left_eye, nose, right_mouth, left_mouth = landmarks.astype(np.float64)
        self._origin = (right_eye + left_eye) / 2
        self._across = left_eye - right_eye
        self._down = (right_mouth + left_mouth) / 2 - self._origin
        self.eye_distance = float(np.hypot(*self._across))
        axes = np.stack([self._across, self._down], axis=1)
        across, down = np.linalg.solve(axes, nose - self._origin)
        self.turn = float(np.clip(across, -MAX_TURN, MAX_TURN))
        self.nose_height = float(np.clip(down, 0.35, 0.8))

    def to_pixels(self, points: Points) -> Points:
        """(N, 2) points on the face to pixels, float64."""
        return np.asarray(self._origin + points[:, :1] * self._across + points[:, 1:] * self._down)

    def turned(self, points: Points) -> Points:
        """Points of a frontal face moved as on this one: its far side is foreshortened."""
        moved = points.copy()
        moved[:, 0] += self.turn - self.turn * np.abs(points[:, 0])
        return moved

    def length_px(self, eye_distances: float) -> float:
        return eye_distances * self.eye_distance


def smooth_outline(corners: Sequence[tuple[float, float]], points: int = 48) -> Points:
    """A closed curve through the corners: (points, 2) float64."""
    closed = np.array([*corners, corners[0]], np.float64)
    spline = CubicSpline(np.arange(len(closed)), closed, bc_type="periodic")
    return np.asarray(spline(np.linspace(0, len(closed) - 1, points, endpoint=False)))


class Stencil:
    """A place for paint: a soft shape inside its bounding rectangle of the image."""

    def __init__(self, image: Image, outline_px: Points, soften_px: float = 0.6) -> None:
        pad = 2 + int(3 * soften_px)
        low = np.floor(outline_px.min(axis=0)).astype(int) - pad
        high = np.ceil(outline_px.max(axis=0)).astype(int) + pad
        left, top = (int(v) for v in np.clip(low, 0, (image.shape[1], image.shape[0])))
        right, bottom = (int(v) for v in np.clip(high, 0, (image.shape[1], image.shape[0])))
        self.rows, self.columns = slice(top, bottom), slice(left, right)
        self.corner = np.array([left, top], np.float64)
        mask = np.zeros((max(bottom - top, 0), max(right - left, 0)), np.uint8)
        if mask.size:
            cv2.fillPoly(mask, [self.fixed(outline_px)], 255, cv2.LINE_AA, _FINE)
        self.alpha = mask.astype(np.float32) / 255
        self.soften(soften_px)

    def soften(self, sigma_px: float) -> None:
        if self.alpha.size and sigma_px > 0.3:
            self.alpha = np.asarray(cv2.GaussianBlur(self.alpha, (0, 0), sigma_px), np.float32)

    def fixed(self, points_px: Points) -> npt.NDArray[np.int32]:
        """Image pixels to OpenCV's fixed-point coordinates inside the rectangle."""
        return np.asarray(np.rint((points_px - self.corner) * 2**_FINE), np.int32)

    def paint(self, image: Image, paint: npt.NDArray[np.float32]) -> None:
        """Lay `paint`, (h, w, 3) of the rectangle or one BGR colour, on the image in place."""
        if not self.alpha.size:
            return
        under = image[self.rows, self.columns]
        alpha = self.alpha[..., None]
        image[self.rows, self.columns] = np.clip(under * (1 - alpha) + paint * alpha, 0, 255)

    def light(self, image: Image) -> npt.NDArray[np.float32]:
        """How brightly each pixel of the rectangle is lit: (h, w, 1), 1 on average."""
        under = cv2.cvtColor(image[self.rows, self.columns], cv2.COLOR_BGR2GRAY)
        blurred = cv2.GaussianBlur(under.astype(np.float32), (0, 0), max(1.0, len(under) / 6))
        shade = blurred / max(float(blurred.mean()), 1.0)
        return np.asarray(np.clip(shade, 0.4, 1.6), np.float32)[..., None]


def draw_line(
    image: Image, points_px: Points, colour: Sequence[float], thickness_px: float
) -> None:
    """Draw an open line through pixels, in place."""
    ends = np.rint(points_px * 2**_FINE).astype(np.int32)
    bgr: Any = tuple(float(value) for value in colour)
    cv2.polylines(image, [ends], False, bgr, max(1, round(thickness_px)), cv2.LINE_AA, _FINE)
