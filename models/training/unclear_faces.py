"""Views that nobody can judge: a covered mouth, the back of a head, a blur, no face at all.

The network learns to answer `unknown` to them instead of guessing surely.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from models.training.cloth import cloth_sheet
from models.training.face_frame import (
    FaceFrame,
    Image,
    Points,
    Stencil,
    can_be_painted,
    smooth_outline,
)
from models.training.occluders import paint_hand, skin_colour

Generator = np.random.Generator
Box = npt.NDArray[np.float32]
Painter = Callable[[Image, FaceFrame, Generator, Image], None]

HAIR_BGR: Final = (
    (22, 20, 20),
    (35, 38, 45),
    (40, 55, 80),
    (70, 105, 150),
    (130, 135, 140),
    (25, 35, 60),
)
"""Black, dark, brown, blond, grey, chestnut."""
LEAST_AWAY: Final = 1.0
MOST_AWAY: Final = 1.3
"""How far a box slips off a face, in its longer sides."""


def paint_unclear(
    image: Image,
    box: Box,
    landmarks: npt.NDArray[np.float32] | None,
    rng: Generator,
    *,
    elsewhere: Image,
    bare: bool,
) -> Image:
    """A copy of a BGR image whose face can no longer be judged.

    elsewhere: another BGR picture, for the texture of what hides the face. bare: whether the face
    wears no mask; a masked one is covered wholly, so that no edge of the mask is left.
    """
    if landmarks is None or not can_be_painted(landmarks):
        landmarks = typical_landmarks(box)
    face, painted = FaceFrame(landmarks), image.copy()
    painters = ON_BARE_FACES if bare else ON_ANY_FACE
    shares = np.array([share for _, share in painters])
    painters[rng.choice(len(painters), p=shares / shares.sum())][0](painted, face, rng, elsewhere)
    return painted


def typical_landmarks(box: Box) -> npt.NDArray[np.float32]:
    """Where a frontal face in an xyxy box has eyes, nose and mouth: (5, 2)."""
    shares = np.array([[0.3, 0.38], [0.7, 0.38], [0.5, 0.58], [0.34, 0.77], [0.66, 0.77]])
    return np.asarray(box[:2] + shares * (box[2:] - box[:2]), np.float32)


def slip_off(box: Box, rng: Generator) -> Box:
    """A box beside, above or below the face: ear, hair, shoulder, chest or wall."""
    angle = rng.uniform(0, 2 * np.pi)
    away = rng.uniform(LEAST_AWAY, MOST_AWAY) * float((box[2:] - box[:2]).max())
    step = np.array([np.cos(angle), np.sin(angle)]) * away
    return np.asarray(box + np.tile(step, 2), np.float32)


def cover_with_hand(image: Image, face: FaceFrame, rng: Generator, _: Image) -> None:
    """One or two hands over nose and mouth."""
    for _number in range(1 + int(rng.random() < 0.4)):
        centre = (rng.uniform(-0.35, 0.35), rng.uniform(0.75, 1.1))
        paint_hand(image, face, rng, centre=centre, size=rng.uniform(1.1, 1.6))


def cover_with_cup(image: Image, face: FaceFrame, rng: Generator, elsewhere: Image) -> None:
    """A cup, glass or bottle at the lips, with the hand that holds it."""
    x, top = rng.uniform(-0.2, 0.2), rng.uniform(0.25, 0.75)
    half, length = rng.uniform(0.4, 0.75), rng.uniform(1.2, 2.2)
    narrow, tilt = rng.uniform(0.7, 1.0), rng.uniform(-0.3, 0.3)
    corners = [(x - half, top), (x + half, top), (x + half * narrow + tilt, top + length)]
    corners.append((x - half * narrow + tilt, top + length))
    _lay(image, face.to_pixels(np.array(corners)), rng, elsewhere)
    if rng.random() < 0.7:
        below = (x + tilt / 2, top + length * rng.uniform(0.5, 0.9))
        paint_hand(image, face, rng, centre=below, size=rng.uniform(0.8, 1.2))


def cover_with_board(image: Image, face: FaceFrame, rng: Generator, elsewhere: Image) -> None:
    """A book, telephone, sheet, somebody's shoulder or back: from the nose down, side to side."""
    top, angle = rng.uniform(-0.1, 0.5), rng.uniform(-0.35, 0.35)
    half = rng.uniform(1.0, 2.2)
    outline = np.array([(-half, 0), (half, 0), (half, rng.uniform(2.0, 4.0)), (-half, 3.0)])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    _lay(image, face.to_pixels(outline @ turn + np.array([0, top])), rng, elsewhere)


def cover_with_collar(image: Image, face: FaceFrame, rng: Generator, elsewhere: Image) -> None:
    """A scarf, shirt or collar pulled over the mouth, down to the edge of the picture."""
    middle, ends = rng.uniform(0.3, 0.8), rng.uniform(0.2, 1.2)
    edge = [(-3, ends + 0.4), (-1.1, (ends + middle) / 2), (0, middle), (1.1, (ends + middle) / 2)]
    outline = np.array([*edge, (3, ends + 0.4), (3, 6), (-3, 6)])
    outline[:, 1] += rng.normal(0, 0.06, len(outline))
    _lay(image, face.to_pixels(outline), rng, elsewhere)


def turn_away(image: Image, face: FaceFrame, rng: Generator, _: Image) -> None:
    """Hair where the face was: the back of a head."""
    half, top, end = rng.uniform(1.1, 1.5), rng.uniform(-2.0, -1.3), rng.uniform(1.3, 2.6)
    middle = (top + end) / 2
    outline = smooth_outline(
        [
            (0, top),
            (half * 0.8, top * 0.6),
            (half, middle),
            (half * 0.75, end * 0.9),
            (0, end),
            (-half * 0.75, end * 0.9),
            (-half, middle),
            (-half * 0.8, top * 0.6),
        ]
    )
    outline[:, 0] += rng.uniform(-0.25, 0.25)
    stencil = Stencil(image, face.to_pixels(outline), rng.uniform(0.6, 2.0))
    if not stencil.alpha.size:
        return
    height, width = stencil.alpha.shape
    strands = rng.normal(1, rng.uniform(0.1, 0.35), (max(2, height // 12), width, 1))
    hair = cv2.resize(strands.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    colour = np.array(HAIR_BGR[rng.integers(len(HAIR_BGR))]) * rng.uniform(0.6, 1.5)
    folds = cv2.resize(rng.normal(1, 0.15, (4, 4)).astype(np.float32), (width, height))
    sheen = np.clip(hair * folds, 0.2, 2.0)[..., None]
    stencil.paint(image, np.asarray(colour * sheen * stencil.light(image) ** 0.3, np.float32))


def smooth_over(image: Image, face: FaceFrame, rng: Generator, _: Image) -> None:
    """Skin without features: a bald head from behind, an elbow, a hand."""
    skin = skin_colour(image, face)
    if skin is None:
        return
    around = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    radii = np.array([rng.uniform(0.85, 1.15), rng.uniform(1.1, 1.5)])
    points = np.stack([np.cos(around), np.sin(around)], axis=1) * radii + np.array([0.0, 0.55])
    stencil = Stencil(image, face.to_pixels(points), face.length_px(rng.uniform(0.05, 0.2)))
    if not stencil.alpha.size:
        return
    height, width = stencil.alpha.shape
    folds = cv2.resize(rng.normal(1, 0.12, (3, 3)).astype(np.float32), (width, height))
    grain = rng.normal(0, 3, (height, width, 1))
    stencil.paint(image, np.asarray(skin * folds[..., None] + grain, np.float32))


ON_ANY_FACE: Final[tuple[tuple[Painter, float], ...]] = (
    (turn_away, 0.3),
    (smooth_over, 0.12),
    (cover_with_board, 0.2),
)
ON_BARE_FACES: Final[tuple[tuple[Painter, float], ...]] = (
    *ON_ANY_FACE,
    (cover_with_hand, 0.25),
    (cover_with_cup, 0.2),
    (cover_with_collar, 0.1),
)
"""What is painted how often."""


def _lay(image: Image, outline_px: Points, rng: Generator, elsewhere: Image) -> None:
    """Cloth, or a piece of another picture, inside an outline."""
    stencil = Stencil(image, outline_px, rng.uniform(0.4, 1.0))
    if not stencil.alpha.size:
        return
    height, width = stencil.alpha.shape
    if rng.random() < 0.5:
        sheet = cloth_sheet((height, width), rng, printed=rng.random() < 0.5)
    else:
        sheet = _piece_of(elsewhere, (height, width), rng)
    dimmed = np.float32(float(image.mean()) / 128 * 0.5 + 0.5)
    stencil.paint(image, np.asarray(sheet * dimmed * stencil.light(image) ** 0.3, np.float32))


def _piece_of(picture: Image, shape: tuple[int, int], rng: Generator) -> npt.NDArray[np.float32]:
    """A random part of a picture, mostly from its edges, scaled to a shape: (h, w, 3)."""
    rows, columns = picture.shape[:2]
    side = max(2, int(min(rows, columns) * rng.uniform(0.2, 0.5)))
    top = int(rng.choice([0, rows - side]))
    left = int(rng.choice([0, columns - side]))
    piece = picture[top : top + side, left : left + side]
    return np.asarray(cv2.resize(piece, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
