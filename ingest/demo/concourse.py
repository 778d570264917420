"""The empty concourse: floor, walls, ceiling, columns, signs. Drawn once a camera."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import cv2
import numpy as np

from ingest.demo.geometry import Geometry
from ingest.encoding import Image

WALL_X: Final = 4.4
WALL_Z: Final = 13.0
CEILING_Y: Final = 3.7
NEAR_Z: Final = 0.9
Colour = tuple[float, float, float]
Corners = Sequence[tuple[float, float, float]]


def draw_concourse(geometry: Geometry) -> Image:
    """Return the empty scene, `(H, W, 3)` BGR."""
    picture = np.zeros((geometry.height, geometry.width, 3), np.uint8)
    painter = _Painter(picture, geometry)
    _draw_ceiling(painter)
    _draw_side_walls(painter)
    _draw_floor(painter)
    _draw_end_wall(painter)
    _draw_columns(painter)
    _draw_signs(painter)
    return _as_filmed(picture)


class _Painter:
    """Draws shapes given in metres."""

    def __init__(self, picture: Image, geometry: Geometry) -> None:
        self.picture = picture
        self.geometry = geometry

    def area(self, corners: Corners, colour: Colour) -> None:
        points = np.array([self.geometry.pixel(*corner) for corner in corners])
        cv2.fillPoly(self.picture, [points], colour, cv2.LINE_AA)

    def line(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        colour: Colour,
        thickness: int = 1,
    ) -> None:
        pixels = self.geometry.pixel(*start), self.geometry.pixel(*end)
        cv2.line(self.picture, *pixels, colour, thickness, cv2.LINE_AA)

    def text(
        self, words: str, x: float, y: float, z: float, height_m: float, colour: Colour
    ) -> None:
        size = height_m * self.geometry.scale(z) / 22
        place = self.geometry.pixel(x, y, z)
        font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, round(2.4 * size))
        cv2.putText(self.picture, words, place, font, size, colour, thickness, cv2.LINE_AA)


def _depths() -> list[float]:
    return [NEAR_Z * (WALL_Z / NEAR_Z) ** (step / 60) for step in range(61)]


def _draw_ceiling(paint: _Painter) -> None:
    depths = _depths()
    for near, far in pairwise(depths):
        tone = 150 + 70 * min(1.0, far / WALL_Z)
        paint.area(_slab(CEILING_Y, near, far, WALL_X), (tone, tone, tone * 0.985))
    for x in (-2.9, -1.0, 1.0, 2.9):
        corners = [(x - 0.16, NEAR_Z), (x + 0.16, NEAR_Z), (x + 0.16, WALL_Z), (x - 0.16, WALL_Z)]
        paint.area([(cx, CEILING_Y, cz) for cx, cz in corners], (252, 250, 246))
    for z in np.arange(1.5, WALL_Z, 1.5):
        paint.line((-WALL_X, CEILING_Y, z), (WALL_X, CEILING_Y, z), (168, 168, 166))


def _slab(y: float, near: float, far: float, x: float) -> list[tuple[float, float, float]]:
    return [(-x, y, near), (x, y, near), (x, y, far), (-x, y, far)]


def _draw_side_walls(paint: _Painter) -> None:
    depths = _depths()
    for side in (-1, 1):
        x = side * WALL_X
        for near, far in pairwise(depths):
            tone = 128 + 74 * (far / WALL_Z) ** 0.7
            wall = [(x, 0, near), (x, CEILING_Y, near), (x, CEILING_Y, far), (x, 0, far)]
            paint.area(wall, (tone * 0.99, tone, tone))
        for z in np.arange(3.0, WALL_Z - 1.5, 2.5):
            _draw_shop_window(paint, x, float(z))
        rail = [(x, 0.0, NEAR_Z), (x, 0.16, NEAR_Z), (x, 0.16, WALL_Z), (x, 0.0, WALL_Z)]
        paint.area(rail, (88, 84, 80))


def _draw_shop_window(paint: _Painter, x: float, z: float) -> None:
    glass = [(x, 0.35, z), (x, 2.5, z), (x, 2.5, z + 1.9), (x, 0.35, z + 1.9)]
    warm = 20 * np.sin(3.1 * z + x)
    paint.area(glass, (150 + warm, 172, 188 - warm))
    for z_bar in (z, z + 0.63, z + 1.27, z + 1.9):
        paint.line((x, 0.35, z_bar), (x, 2.5, z_bar), (92, 92, 94), 2)
    paint.area([(x, 2.5, z), (x, 2.75, z), (x, 2.75, z + 1.9), (x, 2.5, z + 1.9)], (116, 78, 52))


def _draw_floor(paint: _Painter) -> None:
    depths = _depths()
    for near, far in pairwise(depths):
        tone = 128 + 66 * (far / WALL_Z) ** 0.8
        paint.area(_slab(0.0, near, far, WALL_X), (tone, tone * 1.0, tone * 1.0))
    for x in np.arange(-WALL_X, WALL_X + 0.01, 0.8):
        paint.line((float(x), 0, NEAR_Z), (float(x), 0, WALL_Z), (146, 146, 146))
    for z in np.arange(1.0, WALL_Z, 0.8):
        paint.line((-WALL_X, 0, float(z)), (WALL_X, 0, float(z)), (146, 146, 146))
    _draw_reflections(paint)
    for x in (-0.42, 0.34):
        strip = [(x, 0, NEAR_Z), (x + 0.08, 0, NEAR_Z), (x + 0.08, 0, WALL_Z), (x, 0, WALL_Z)]
        paint.area(strip, (96, 178, 206))


def _draw_reflections(paint: _Painter) -> None:
    """The far window's light on the polished floor."""
    shine = np.zeros(paint.picture.shape, np.uint8)
    mirror = _Painter(shine, paint.geometry)
    for x in (-2.4, 0.0, 2.4):
        wide = [(x - 0.9, 0, WALL_Z), (x + 0.9, 0, WALL_Z), (x + 0.5, 0, 3.2), (x - 0.5, 0, 3.2)]
        mirror.area(wide, (54, 50, 44))
    sigma = paint.geometry.width / 50
    paint.picture[:] = cv2.add(paint.picture, cv2.GaussianBlur(shine, (0, 0), sigma))


def _draw_end_wall(paint: _Painter) -> None:
    z = WALL_Z
    paint.area([(-WALL_X, 0, z), (WALL_X, 0, z), (WALL_X, CEILING_Y, z), (-WALL_X, CEILING_Y, z)],
               (186, 188, 190))  # fmt: skip
    for x in (-2.6, 0.0, 2.6):
        for step in range(12):
            low, high = 0.1 + step * 0.22, 0.1 + (step + 1) * 0.22
            sky = 190 + 5 * step
            pane = [(x - 1.1, low, z), (x + 1.1, low, z), (x + 1.1, high, z), (x - 1.1, high, z)]
            paint.area(pane, (min(255, sky + 16), sky, sky - 14))
        for bar in (-1.1, -0.37, 0.37, 1.1):
            paint.line((x + bar, 0.1, z), (x + bar, 2.74, z), (112, 112, 114))
        paint.line((x - 1.1, 1.9, z), (x + 1.1, 1.9, z), (112, 112, 114))


def _draw_columns(paint: _Painter) -> None:
    for z in (11.5, 9.0, 6.6):
        for x in (-3.5, 3.5):
            for strip in range(16):
                share = (strip + 0.5) / 16 - 0.5
                left, right = x + 0.5 * (strip / 16 - 0.5), x + 0.5 * ((strip + 1) / 16 - 0.5)
                tone = 214 * (1.0 - 2.0 * (share + 0.1) ** 2)
                side = [
                    (left, 0.0, z),
                    (right, 0.0, z),
                    (right, CEILING_Y, z),
                    (left, CEILING_Y, z),
                ]
                paint.area(side, (tone, tone, tone * 0.985))
            foot = [(x - 0.27, 0, z), (x + 0.27, 0, z), (x + 0.27, 0.22, z), (x - 0.27, 0.22, z)]
            paint.area(foot, (92, 90, 88))


def _draw_signs(paint: _Painter) -> None:
    z, amber = 7.5, (84, 206, 250)
    for x, side, words in ((-1.75, -1, "A1 - A18"), (1.75, 1, "B20 - B44")):
        for rod in (-0.7, 0.7):
            paint.line((x + rod, 3.05, z), (x + rod, CEILING_Y, z), (90, 90, 92), 2)
        board = [(x - 1.0, 2.62, z), (x + 1.0, 2.62, z), (x + 1.0, 3.05, z), (x - 1.0, 3.05, z)]
        paint.area(board, (58, 42, 30))
        paint.text(words, x - (0.5 if side < 0 else 0.85), 2.77, z, 0.15, amber)
        tip, tail = x + side * 0.88, x + side * 0.66
        paint.line((tail, 2.835, z), (tip, 2.835, z), amber, 3)
        for rise in (-0.08, 0.08):
            paint.line((tip - side * 0.08, 2.835 + rise, z), (tip, 2.835, z), amber, 3)


def _as_filmed(picture: Image) -> Image:
    """Soften edges and add the grain a camera adds."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.9)
    grain = np.random.default_rng(5).normal(0, 2.2, picture.shape)
    return np.clip(soft + grain, 0, 255).astype(np.uint8)
