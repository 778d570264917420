"""The look of each walker: a head from the photograph, and a drawn body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.people.verdicts import Verdict
from ingest.demo.blending import Sprite
from ingest.demo.face import FACE_BOX, portrait
from ingest.demo.masks import COLOURS, masked_head
from ingest.encoding import Image

BODY_WIDTH_M: Final = 0.74
BODY_HEIGHT_M: Final = 1.0
_PX_PER_M: Final = 420
_SKIN: Final = (128, 152, 196)
_COATS: Final = (
    (70, 52, 40), (52, 58, 64), (96, 78, 60), (120, 128, 150), (60, 46, 92), (66, 88, 62),
    (140, 118, 92), (44, 40, 42), (48, 70, 140), (150, 150, 146),
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Everything drawn for one walker."""

    head: Sprite
    face_box: tuple[float, float, float, float]
    """Box of the face within the head's picture, in pixels."""
    body: Sprite
    """`BODY_WIDTH_M` x `BODY_HEIGHT_M`, shoulders at the top."""
    trousers: tuple[int, int, int]


@lru_cache(maxsize=16)
def look_of(seed: int, verdict: Verdict) -> Look:
    """Return the look drawn from `seed`; the mask follows from the verdict."""
    rng = np.random.default_rng(seed)
    coat = np.array(_COATS[rng.integers(len(_COATS))], np.float32) * rng.uniform(0.85, 1.2)
    head, box = _head(rng, verdict)
    return Look(head, box, _body(rng, coat), tuple((coat * 0.45 + 14).astype(int).tolist()))


def _head(
    rng: np.random.Generator, verdict: Verdict
) -> tuple[Sprite, tuple[float, float, float, float]]:
    bgr, alpha = portrait()
    if verdict in ("mask", "incorrect"):
        colour = COLOURS[rng.integers(len(COLOURS))]
        bgr = masked_head(verdict == "mask", colour)
    bgr = _lit(bgr, rng)
    x0, y0, x1, y1 = FACE_BOX
    if rng.random() < 0.5:
        bgr, alpha = np.ascontiguousarray(bgr[:, ::-1]), np.ascontiguousarray(alpha[:, ::-1])
        x0, x1 = bgr.shape[1] - x1, bgr.shape[1] - x0
    tilt = cv2.getRotationMatrix2D(((x0 + x1) / 2, (y0 + y1) / 2), rng.uniform(-5, 5), 1.0)
    size = bgr.shape[1], bgr.shape[0]
    turned = cv2.warpAffine(bgr, tilt, size, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.warpAffine(alpha, tilt, size)
    return Sprite.of(cast(Image, turned), opacity), (x0, y0, x1, y1)


def _lit(bgr: Image, rng: np.random.Generator) -> Image:
    """Another light, hair and complexion, within what a camera sees in a day."""
    gain = rng.uniform(0.78, 1.06) * np.array(
        [rng.uniform(0.9, 1.08), 1.0, rng.uniform(0.95, 1.06)]
    )
    lit = np.clip(bgr * gain, 0, 255).astype(np.uint8)
    hair = np.zeros(bgr.shape[:2], np.float32)
    cv2.ellipse(hair, (112, 60), (110, 75), 0, 0, 360, 1.0, -1)
    cv2.ellipse(hair, (112, 122), (44, 52), 0, 0, 360, 0.0, -1)
    weight = cv2.GaussianBlur(hair, (0, 0), 5)[..., None] * rng.uniform(0.0, 0.75)
    dyed = lit * np.array([0.42, 0.40, 0.42] if rng.random() < 0.7 else [0.55, 0.6, 0.85])
    return cast(Image, (lit * (1 - weight) + dyed * weight).astype(np.uint8))


def _body(rng: np.random.Generator, coat: NDArray[np.float32]) -> Sprite:
    """A coat with sleeves, collar and a strap or a zip."""
    width, height = round(BODY_WIDTH_M * _PX_PER_M), round(BODY_HEIGHT_M * _PX_PER_M)
    shape, torso = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    cv2.fillPoly(shape, [_points(_SILHOUETTE, width, height)], 255, cv2.LINE_AA)
    cv2.fillPoly(torso, [_points(_TORSO, width, height)], 255, cv2.LINE_AA)
    across = (np.arange(width, dtype=np.float32) / width - 0.5)[None, :]
    down = (np.arange(height, dtype=np.float32) / height)[:, None]
    light = 1.12 - 1.5 * across**2 - 0.25 * down
    light = light * (0.8 + 0.2 * cv2.GaussianBlur(torso, (0, 0), 7) / 255.0)
    light += 0.05 * np.sin(26 * across + 7 * down + rng.uniform(0, 6)) * down
    light += rng.normal(0, 0.025, light.shape)
    bgr = np.clip(coat * light[..., None], 0, 255).astype(np.uint8)
    _details(bgr, rng, coat, width, height)
    for share_x in (0.095, 0.905):
        centre = round(share_x * width), round(0.775 * height)
        for picture, tone in ((bgr, _SKIN), (shape, (255, 255, 255))):
            cv2.ellipse(picture, centre, (14, 20), 0, 0, 360, tone, -1, cv2.LINE_AA)
    return Sprite.of(bgr, cv2.GaussianBlur(shape, (0, 0), 1.0) / 255.0)


_SILHOUETTE: Final = [
    (0.36, 0.01), (0.64, 0.01), (0.70, 0.065), (0.84, 0.12), (0.91, 0.20), (0.945, 0.42),
    (0.965, 0.66), (0.95, 0.76), (0.87, 0.765), (0.83, 0.62), (0.81, 0.97), (0.19, 0.97),
    (0.17, 0.62), (0.13, 0.765), (0.05, 0.76), (0.035, 0.66), (0.055, 0.42), (0.09, 0.20),
    (0.16, 0.12), (0.30, 0.065),
]  # fmt: skip
_TORSO: Final = [(0.24, 0.10), (0.76, 0.10), (0.80, 0.30), (0.79, 0.97), (0.21, 0.97), (0.20, 0.30)]


def _details(
    bgr: Image, rng: np.random.Generator, coat: NDArray[np.float32], width: int, height: int
) -> None:
    def line(points: list[tuple[float, float]], tone: float, thickness: int) -> None:
        colour = tuple(np.clip(coat * tone, 0, 255).tolist())
        cv2.polylines(bgr, [_points(points, width, height)], False, colour, thickness, cv2.LINE_AA)

    scarf = np.clip(coat * rng.uniform(0.4, 1.6) + rng.uniform(0, 50, 3), 12, 225)
    neck = [(0.36, 0.0), (0.64, 0.0), (0.66, 0.055), (0.5, 0.13), (0.34, 0.055)]
    cv2.fillPoly(bgr, [_points(neck, width, height)], scarf.tolist(), cv2.LINE_AA)
    for side in (-1, 1):
        line([(0.5 + side * 0.29, 0.20), (0.5 + side * 0.31, 0.6)], 0.6, 3)
        line([(0.5 + side * 0.16, 0.05), (0.5 + side * 0.10, 0.22), (0.5, 0.34)], 0.7, 4)
        line([(0.5 + side * 0.12, 0.66), (0.5 + side * 0.24, 0.63)], 0.65, 3)
    line([(0.5, 0.13), (0.5, 0.97)], 0.62, 3)
    if rng.random() < 0.45:
        line([(0.27, 0.08), (0.79, 0.66)], 0.35, 10)


def _points(shares: list[tuple[float, float]], width: int, height: int) -> NDArray[np.int32]:
    return (np.array(shares) * (width, height)).round().astype(np.int32)
