"""Painting masks on bare faces, because real faces with a mask worn wrongly are rare.

After the idea of MaskedFace-Net (Cabani et al., 2020): a mask's outline is placed by facial
landmarks; where its upper edge runs decides whether it is worn properly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from models.training.cloth import cloth_sheet, surgical_colour, weave
from models.training.face_frame import FaceFrame, Image, Points, Stencil, draw_line, smooth_outline

Generator = np.random.Generator
Worn = Literal["proper", "under_nose", "under_chin", "under_mouth", "over_eyes"]

SURGICAL_CHANCE: Final = 0.5
PRINTED_CHANCE: Final = 0.45
"""Share of masks that are not surgical."""


def paint_mask(
    image: Image, landmarks: npt.NDArray[np.float32], rng: Generator, *, worn: Worn
) -> Image:
    """A copy of a BGR image whose face, by its (5, 2) landmarks, wears a mask.

    "proper" covers nose, mouth and chin; "under_nose" bares the nose; "under_mouth" bares the
    mouth as well; "under_chin" is a band along the jaw; "over_eyes" is a blindfold.
    """
    face = FaceFrame(landmarks)
    shape = _draw_shape(face, rng, worn)
    painted = image.copy()
    _straps(painted, face, shape, rng)
    outline = face.to_pixels(face.turned(shape.outline()))
    stencil = Stencil(image, outline, rng.uniform(0.4, 1.0))
    if not stencil.alpha.size:
        return painted
    surgical = rng.random() < SURGICAL_CHANCE
    sheet = _sheet(stencil, rng, surgical=surgical)
    light = stencil.light(image) ** rng.uniform(0.4, 1.0)
    # Darker towards the rim: a mask is no flat sticker.
    rim = stencil.alpha[..., None] * 0.15 + 0.85
    dimmed = min(1.15, max(0.45, float(image[stencil.rows, stencil.columns].mean()) / 128 + 0.25))
    exposure = np.float32(dimmed * rng.uniform(0.9, 1.1))
    stencil.paint(painted, np.asarray(sheet * light * rim * exposure, np.float32))
    if surgical:
        _pleats(painted, face, shape, rng)
    return painted


@dataclass(frozen=True, slots=True)
class _Shape:
    """A mask on a frontal face, in its frame: heights of its edges, and half its width."""

    top: float
    bottom: float
    half: float
    arch: float
    """How far the middle of the upper edge is above its ends."""
    taper: float
    """Width at the bottom by that at the top."""
    sag: float = 0.0
    """How far the middle hangs under the ends: along the jaw."""

    def outline(self) -> Points:
        height = self.bottom - self.top
        right = [
            (self.half, self.top + 0.1 * height),
            (self.half * 0.97, self.top + 0.5 * height),
            (self.half * self.taper, self.top + 0.88 * height),
        ]
        left = [(-x, y) for x, y in reversed(right)]
        upper = [(-0.45 * self.half, self.top + 0.02), (0.0, self.top - self.arch)]
        outline = smooth_outline(
            [*upper, (0.45 * self.half, self.top + 0.02), *right, (0.0, self.bottom), *left]
        )
        outline[:, 1] -= self.sag * (outline[:, 0] / self.half) ** 2
        return outline


def _draw_shape(face: FaceFrame, rng: Generator, worn: Worn) -> _Shape:
    taper, half = rng.uniform(0.5, 0.75), rng.uniform(0.85, 1.08)
    if worn == "proper":
        top = face.nose_height - rng.uniform(0.18, 0.45)
        return _Shape(top, rng.uniform(1.6, 2.0), half, rng.uniform(0, 0.16), taper)
    if worn == "under_nose":
        # An arched edge under the nose would climb back over its tip.
        top = face.nose_height + rng.uniform(0.12, 0.32)
        return _Shape(top, rng.uniform(1.65, 2.1), half, rng.uniform(-0.05, 0.03), taper)
    if worn == "under_mouth":
        top = rng.uniform(1.25, 1.55)
        bottom = top + rng.uniform(0.4, 0.8)
        return _Shape(top, bottom, half * rng.uniform(0.8, 1.05), rng.uniform(-0.2, 0.0), taper)
    if worn == "under_chin":
        top = rng.uniform(1.5, 1.8)
        height, sag = rng.uniform(0.25, 0.6), rng.uniform(0.35, 0.75)
        return _Shape(top, top + height, half * rng.uniform(0.9, 1.1), 0.0, 0.8, sag)
    top = rng.uniform(-0.75, -0.4)
    return _Shape(top, rng.uniform(0.22, 0.42), half, rng.uniform(-0.05, 0.1), 0.9)


def _sheet(stencil: Stencil, rng: Generator, *, surgical: bool) -> npt.NDArray[np.float32]:
    height, width = stencil.alpha.shape
    if surgical:
        sheet = np.empty((height, width, 3), np.float32)
        sheet[:] = surgical_colour(rng)
        return weave(sheet, rng)
    return cloth_sheet((height, width), rng, printed=rng.random() < PRINTED_CHANCE)


def _straps(image: Image, face: FaceFrame, shape: _Shape, rng: Generator) -> None:
    if rng.random() < 0.25:
        return  # worn round the head, or hidden by hair
    colour = [235.0] * 3 if rng.random() < 0.7 else [40.0] * 3
    ear = rng.uniform(0.0, 0.35)
    for side in (-1, 1):
        for height in (shape.top + 0.08, shape.top + 0.6 * (shape.bottom - shape.top)):
            ends = np.array([[side * shape.half * 0.97, height - shape.sag], [side * 1.32, ear]])
            draw_line(image, face.to_pixels(face.turned(ends)), colour, face.length_px(0.03))


def _pleats(image: Image, face: FaceFrame, shape: _Shape, rng: Generator) -> None:
    if rng.random() < 0.35 or face.eye_distance < 18 or shape.sag:
        return
    x = np.linspace(-0.92, 0.92, 7) * shape.half
    for share in (0.35, 0.52, 0.7):
        y = shape.top + (share + 0.06 * np.cos(x * 1.5)) * (shape.bottom - shape.top)
        line = face.to_pixels(face.turned(np.stack([x, y], axis=1)))
        place = tuple(np.clip(np.rint(line[3]).astype(int), 0, np.array(image.shape[1::-1]) - 1))
        colour = image[place[1], place[0]].astype(np.float64) * 0.84
        draw_line(image, line, colour.tolist(), face.length_px(0.02))
