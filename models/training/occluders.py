"""Objects that hide or resemble parts of a face but are no mask: they must not change the verdict.

Users of every such system complain about the same: beards, hands, scarves, microphones, cups,
glasses, hats. Each is painted by landmarks, on faces of any label unless it would hide what
the label is about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.training.cloth import cloth_sheet
from models.training.face_frame import FaceFrame, Image, Points, Stencil, draw_line, smooth_outline

Generator = np.random.Generator
Painter = Callable[[Image, FaceFrame, Generator], None]


def add_beard(image: Image, face: FaceFrame, rng: Generator) -> None:
    """Hair on jaw, cheeks and upper lip, its mouth left open."""
    top, chin, half = rng.uniform(0.55, 0.9), rng.uniform(1.65, 2.1), rng.uniform(0.62, 0.85)
    outline = [
        (-half, top),
        (-0.35, 0.82),
        (0.0, 0.76),
        (0.35, 0.82),
        (half, top),
        (half * 0.85, 1.4),
        (0.0, chin),
        (-half * 0.85, 1.4),
    ]
    soft = max(0.6, face.length_px(0.06))
    stencil = Stencil(image, face.to_pixels(face.turned(smooth_outline(outline))), soft)
    if not stencil.alpha.size:
        return
    mouth = _ellipse(face, (0.0, 1.02), (rng.uniform(0.2, 0.32), rng.uniform(0.05, 0.12)))
    lips = np.zeros(stencil.alpha.shape, np.uint8)
    cv2.fillPoly(lips, [stencil.fixed(mouth)], 255, cv2.LINE_AA, 4)
    hairs = rng.normal(0.85, 0.25, stencil.alpha.shape).astype(np.float32)
    hairs = np.clip(cv2.GaussianBlur(hairs, (0, 0), max(0.7, face.length_px(0.02))), 0, 1)
    stencil.alpha *= (1 - lips.astype(np.float32) / 255) * hairs * rng.uniform(0.55, 1.0)
    shade = rng.choice([18.0, 35.0, 60.0, 150.0], p=[0.45, 0.3, 0.15, 0.1])
    tint = np.array([0.8, 0.95, 1.2], np.float32) if rng.random() < 0.5 else 1.0
    grain = rng.normal(1, 0.18, (*stencil.alpha.shape, 1)).astype(np.float32)
    stencil.paint(image, np.asarray(shade * tint * grain * stencil.light(image), np.float32))


def add_hand_beside(image: Image, face: FaceFrame, rng: Generator) -> None:
    """A hand at the cheek or ear."""
    side = rng.choice([-1, 1])
    paint_hand(image, face, rng, centre=(side * rng.uniform(0.95, 1.3), rng.uniform(0.3, 1.4)))


def add_scarf(image: Image, face: FaceFrame, rng: Generator) -> None:
    """Scarf, collar or roll-neck from the chin down."""
    middle, ends = rng.uniform(1.55, 2.0), rng.uniform(1.1, 1.8)
    half_way = (ends + middle) / 2
    edge = [(-3, ends), (-1.1, half_way), (0, middle), (1.1, half_way), (3, ends)]
    outline = np.array([*edge, (3, 5), (-3, 5)])
    outline[:, 1] += rng.normal(0, 0.05, len(outline))
    _cloth_on(image, face.to_pixels(outline), rng)


def add_hat(image: Image, face: FaceFrame, rng: Generator) -> None:
    """Cap, hat, helmet or headscarf down to the forehead."""
    brim, sides = rng.uniform(-0.75, -0.3), rng.uniform(-0.6, 0.5)
    half = rng.uniform(1.05, 1.35)
    right = [(0.7, brim), (half - 0.1, sides), (half + 0.3, sides), (1.3, -2.2)]
    left = [(-x, y) for x, y in reversed(right)]
    outline = np.array([*left, (0, brim - 0.05), *right])
    _cloth_on(image, face.to_pixels(face.turned(outline)), rng)


def add_glasses(image: Image, face: FaceFrame, rng: Generator) -> None:
    """Glasses, or sunglasses."""
    radii = (rng.uniform(0.27, 0.38), rng.uniform(0.17, 0.33))
    colour = [rng.uniform(5, 60)] * 3 if rng.random() < 0.8 else rng.uniform(60, 220, 3).tolist()
    thickness, dark = face.length_px(rng.uniform(0.02, 0.07)), rng.random() < 0.4
    for side in (-0.5, 0.5):
        ring = _ellipse(face, (side, 0.05), radii)
        if dark:
            Stencil(image, ring).paint(image, np.full(3, rng.uniform(8, 50), np.float32))
        draw_line(image, np.vstack([ring, ring[:1]]), colour, thickness)
        ends = np.array([[side + np.sign(side) * radii[0], 0.0], [np.sign(side) * 1.25, -0.05]])
        draw_line(image, face.to_pixels(face.turned(ends)), colour, thickness)
    bridge = np.array([[-0.5 + radii[0], 0.0], [0.5 - radii[0], 0.0]])
    draw_line(image, face.to_pixels(face.turned(bridge)), colour, thickness)


def add_thing_at_mouth(image: Image, face: FaceFrame, rng: Generator) -> None:
    """A microphone, cup or telephone held to the mouth."""
    x, y = rng.uniform(-0.45, 0.45), rng.uniform(1.0, 1.55)
    half = rng.uniform(0.18, 0.4)
    if rng.random() < 0.5:
        head = _ellipse(face, (x, y), (half, half * rng.uniform(0.9, 1.3)))
        stick = np.array([[x, y], [x + rng.uniform(-0.8, 0.8), y + 3]])
        colour = [rng.uniform(10, 90)] * 3
        draw_line(image, face.to_pixels(stick), colour, face.length_px(half * 0.9))
    else:
        slant = rng.uniform(-0.2, 0.2)
        corners = [(x - half, y - 0.15), (x + half, y - 0.15 + slant)]
        corners += [(x + half * 0.8, y + 1.2), (x - half * 0.8, y + 1.2)]
        head = face.to_pixels(np.array(corners))
    stencil = Stencil(image, head)
    if stencil.alpha.size:
        height, width = stencil.alpha.shape
        sheet = cloth_sheet((height, width), rng, printed=rng.random() < 0.3)
        stencil.paint(image, sheet * stencil.light(image) ** 0.5)


def add_block(image: Image, face: FaceFrame, rng: Generator) -> None:
    """A shoulder, a pole, another head: a patch of colour away from nose and mouth."""
    side = rng.choice([-1, 1])
    centre = (side * rng.uniform(0.9, 1.5), rng.uniform(-0.6, 1.6))
    if rng.random() < 0.35:
        centre = (rng.uniform(-0.9, 0.9), rng.uniform(-0.8, -0.3))
    outline = _ellipse(face, centre, (rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.7)))
    _cloth_on(image, outline, rng)


ON_BARE_FACES: Final[tuple[tuple[Painter, float], ...]] = (
    (add_beard, 0.10),
    (add_hand_beside, 0.03),
    (add_scarf, 0.08),
    (add_thing_at_mouth, 0.03),
    (add_hat, 0.05),
    (add_glasses, 0.07),
    (add_block, 0.06),
)
ON_MASKED_FACES: Final[tuple[tuple[Painter, float], ...]] = (
    (add_hand_beside, 0.04),
    (add_scarf, 0.08),
    (add_hat, 0.05),
    (add_glasses, 0.07),
    (add_block, 0.06),
)
"""Share of faces on which each object is painted, independently of the others."""


def add_occluders(
    image: Image, landmarks: npt.NDArray[np.float32], rng: Generator, *, bare: bool
) -> Image:
    """A copy of a BGR image with random things before its face, by its (5, 2) landmarks."""
    chosen = [
        painter
        for painter, chance in (ON_BARE_FACES if bare else ON_MASKED_FACES)
        if rng.random() < chance
    ]
    if not chosen:
        return image
    painted, face = image.copy(), FaceFrame(landmarks)
    for painter in chosen:
        painter(painted, face, rng)
    return painted


def paint_hand(
    image: Image,
    face: FaceFrame,
    rng: Generator,
    *,
    centre: tuple[float, float],
    size: float | None = None,
) -> None:
    """A hand in the face's own skin colour; size: of the palm, in widths of a face."""
    skin = skin_colour(image, face)
    if skin is None:
        return
    skin = np.asarray(np.clip(skin * rng.uniform(0.8, 1.15) + rng.normal(0, 4, 3), 0, 255))
    angle = rng.uniform(-1.0, 1.0)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    size = size or rng.uniform(0.75, 1.15)

    def place(points: Points) -> Points:
        return face.to_pixels(points @ turn * size + np.array(centre))

    palm = smooth_outline(
        [(-0.42, 0.1), (0, -0.05), (0.42, 0.1), (0.38, 0.8), (0, 1.0), (-0.38, 0.8)]
    )
    fingers = [_finger(x, rng) for x in (-0.31, -0.1, 0.11, 0.32)[: rng.integers(2, 5)]]
    shapes = [palm, *fingers]
    for number, shape in enumerate(shapes):
        shade = np.asarray(skin * (1.0 if number == 0 else rng.uniform(0.88, 1.06)), np.float32)
        stencil = Stencil(image, place(shape), rng.uniform(0.5, 1.0))
        if stencil.alpha.size:
            # A darker rim keeps one finger apart from the next.
            rim = np.clip(stencil.alpha * 1.6 - 0.6, 0, 1)[..., None] * 0.25 + 0.75
            stencil.paint(image, shade * rim * stencil.light(image) ** 0.3)


def _finger(x: float, rng: Generator) -> Points:
    tip = (x, -0.62 - 0.1 * rng.random())
    return smooth_outline([(x - 0.1, 0.3), (x - 0.1, -0.5), tip, (x + 0.1, -0.5), (x + 0.1, 0.3)])


def skin_colour(image: Image, face: FaceFrame) -> npt.NDArray[np.float32] | None:
    """The colour of the forehead or nose bridge; None where the face leaves the image."""
    points = np.rint(face.to_pixels(face.turned(np.array([[0.0, -0.3], [0, 0.2], [-0.25, -0.3]]))))
    inside = (points >= 0).all(axis=1) & (points < np.array(image.shape[1::-1])).all(axis=1)
    if not inside.any():
        return None
    columns, rows = points[inside].astype(int).T
    return np.asarray(np.median(image[rows, columns], axis=0), np.float32)


def _cloth_on(image: Image, outline_px: Points, rng: Generator) -> None:
    stencil = Stencil(image, outline_px, rng.uniform(0.5, 1.2))
    if stencil.alpha.size:
        height, width = stencil.alpha.shape
        sheet = cloth_sheet((height, width), rng, printed=rng.random() < 0.3)
        dimmed = float(image.mean()) / 128 * 0.5 + 0.5
        stencil.paint(image, sheet * np.float32(dimmed))


def _ellipse(face: FaceFrame, centre: tuple[float, float], radii: tuple[float, float]) -> Points:
    around = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    points = np.stack([np.cos(around) * radii[0], np.sin(around) * radii[1]], axis=1)
    return face.to_pixels(face.turned(points + np.array(centre)))
