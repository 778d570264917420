"""Painting masks on bare faces, because real faces with a mask worn wrongly are rare.

After the idea of MaskedFace-Net (Cabani et al., 2020): a mask's outline is placed by facial
landmarks; where its upper edge runs decides whether it is worn properly.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Generator = np.random.Generator

MIN_EYE_DISTANCE_PX: Final = 12.0
MAX_NOSE_OFFSET: Final = 0.3
"""Faces turned further than this (nose from the middle, in eye distances) are left alone."""
CLOTHS_BGR: Final = (
    (225, 200, 150),
    (215, 175, 110),
    (240, 240, 240),
    (225, 225, 230),
    (40, 40, 40),
    (70, 55, 50),
    (170, 200, 140),
    (190, 170, 220),
)
"""Surgical blues, whites, blacks, green, pink."""


def can_be_painted(landmarks: npt.NDArray[np.float32] | None) -> bool:
    """Whether (5, 2) landmarks show a face large and frontal enough."""
    if landmarks is None:
        return False
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
    eyes = left_eye - right_eye
    distance = float(np.hypot(*eyes))
    height = float(np.hypot(*((right_mouth + left_mouth - right_eye - left_eye) / 2)))
    if distance < MIN_EYE_DISTANCE_PX or height < 0.6 * distance:
        return False
    offset = float(np.dot(nose - (right_eye + left_eye) / 2, eyes)) / distance**2
    return abs(offset) < MAX_NOSE_OFFSET


def paint_mask(
    image: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32],
    rng: Generator,
    *,
    over_nose: bool,
) -> npt.NDArray[np.uint8]:
    """A copy of a BGR image with a mask over mouth and chin, and the nose if `over_nose`."""
    frame = _FaceFrame(landmarks)
    edge = frame.nose_height + (-rng.uniform(0.2, 0.45) if over_nose else rng.uniform(0.12, 0.27))
    # An arched edge under the nose would climb back over its tip.
    arch = rng.uniform(0, 0.15 if over_nose else 0.03)
    outline = frame.to_pixels(_outline(edge, arch, rng))
    cloth = _cloth(image, frame.to_pixels(_pleats(edge)), rng)
    painted = image.copy()
    straps = frame.to_pixels(
        np.array([[-0.9, edge + 0.05], [-1.35, 0.1], [0.9, edge], [1.35, 0.1]])
    )
    width = max(1, round(frame.eye_distance * 0.04))
    for start, end in (straps[:2], straps[2:]):
        cv2.line(painted, start, end, (225, 225, 225), width, cv2.LINE_AA)
    stencil = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(stencil, [outline], 255, cv2.LINE_AA)
    alpha = (stencil.astype(np.float32) / 255)[..., None]
    return np.asarray(painted * (1 - alpha) + cloth * alpha, np.uint8)


class _FaceFrame:
    """A face's own axes: x in eye distances from between the eyes, y in eye-to-mouth heights."""

    def __init__(self, landmarks: npt.NDArray[np.float32]) -> None:
        right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
        self._origin = (right_eye + left_eye) / 2
        self._across = left_eye - right_eye
        self._down = (right_mouth + left_mouth) / 2 - self._origin
        self.eye_distance = float(np.hypot(*self._across))
        to_nose = np.linalg.solve(np.stack([self._across, self._down], axis=1), nose - self._origin)
        self.nose_height = float(np.clip(to_nose[1], 0.35, 0.8))

    def to_pixels(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """(N, 2) points on the face to whole pixels."""
        pixels = self._origin + points[:, :1] * self._across + points[:, 1:] * self._down
        return np.asarray(np.rint(pixels), np.int32)


def _outline(edge: float, arch: float, rng: Generator) -> npt.NDArray[np.float64]:
    half = rng.uniform(0.8, 1.0)
    chin = rng.uniform(1.7, 2.0)
    right = [(half, edge + 0.05), (half * 0.95, edge + 0.55), (half * 0.6, chin - 0.1)]
    left = [(-x, y) for x, y in reversed(right)]
    points = np.array([(0.0, edge - arch), *right, (0.0, chin), *left])
    return np.asarray(points + rng.normal(0, 0.02, points.shape))


def _pleats(edge: float) -> npt.NDArray[np.float64]:
    heights = [edge + 0.35, edge + 0.6, edge + 0.85]
    return np.array([point for y in heights for point in ((-0.85, y), (0.85, y))])


def _cloth(
    image: npt.NDArray[np.uint8], pleats: npt.NDArray[np.int32], rng: Generator
) -> npt.NDArray[np.float32]:
    """A sheet of cloth as large as the image, lit roughly as the face under it is."""
    colour = np.array(CLOTHS_BGR[rng.integers(len(CLOTHS_BGR))], np.float32)
    colour = np.clip(colour * rng.uniform(0.75, 1.05) + rng.normal(0, 10, 3), 5, 250)
    sheet = np.empty(image.shape, np.float32)
    sheet[:] = colour
    if rng.random() < 0.5:
        darker = tuple(float(value) for value in colour * 0.82)
        for start, end in pleats.reshape(-1, 2, 2):
            cv2.line(sheet, start, end, darker, max(1, image.shape[0] // 120), cv2.LINE_AA)
    light = cv2.GaussianBlur(image, (0, 0), max(1.0, image.shape[0] / 20)).mean(axis=2)
    shade = (light / max(float(light.mean()), 1.0)) ** rng.uniform(0.3, 0.9)
    return np.asarray(np.clip(sheet * shade[..., None], 0, 255), np.float32)
