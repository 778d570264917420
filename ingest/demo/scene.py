"""Draws the frame of a moment: the concourse, and everyone in it, the farthest first."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import cv2
import numpy as np

from ingest.demo.blending import Sprite, lay_over
from ingest.demo.concourse import draw_concourse
from ingest.demo.geometry import FACE_HEIGHT_M, Geometry
from ingest.demo.options import DemoOptions
from ingest.demo.people import BODY_HEIGHT_M, BODY_WIDTH_M, Look, look_of
from ingest.demo.pillars import PILLAR_Z_M, draw_pillars
from ingest.demo.walkers import Walker, walkers_between
from ingest.encoding import Image

HIP_M: Final = 0.72
LABEL: Final = "SYNTHETIC - demo camera"


class Scene:
    """One demo camera's view. Drawing takes a few milliseconds a frame."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._geometry = Geometry(options.width, options.height)
        self._concourse: Image | None = None

    def render(self, time_s: float) -> Image:
        """Return the frame at `time_s`, seconds since the epoch: `(H, W, 3)` BGR."""
        if self._concourse is None:
            self._concourse = draw_concourse(self._geometry)
        picture: Image = self._concourse.copy()
        present = walkers_between(self._options, time_s, time_s)
        present.sort(key=lambda walker: -walker.at(time_s)[1])
        behind = sum(walker.at(time_s)[1] > PILLAR_Z_M for walker in present)
        for walker in present[:behind]:
            self._draw(picture, walker, time_s)
        draw_pillars(picture, self._options.pillars, self._geometry)
        for walker in present[behind:]:
            self._draw(picture, walker, time_s)
        self._draw_label(picture)
        return picture

    def _draw(self, picture: Image, walker: Walker, time_s: float) -> None:
        look = look_of(walker.look_seed, walker.verdict)
        self._draw_shadow(picture, walker, time_s)
        self._draw_legs(picture, walker, look, time_s)
        self._draw_body(picture, walker, look, time_s)
        self._draw_head(picture, walker, look, time_s)

    def _draw_shadow(self, picture: Image, walker: Walker, time_s: float) -> None:
        x, z = walker.at(time_s)
        scale = self._geometry.scale(z)
        column, row = self._geometry.pixel(x, 0.0, z)
        half_w, half_h = round(0.42 * scale), max(2, round(0.09 * scale))
        shadow = _shadow().resized(2 * half_w, 2 * half_h)
        lay_over(picture, shadow, column - half_w, row - half_h)

    def _draw_legs(self, picture: Image, walker: Walker, look: Look, time_s: float) -> None:
        x, z = walker.at(time_s)
        _, hip = self._geometry.pixel(x, HIP_M, z)
        if hip >= picture.shape[0]:
            return
        standing = walker.is_standing(time_s)
        stride = 0.0 if standing else math.sin(5.5 * (time_s - walker.enters_at_s))
        sideways = abs(walker.end[0] - walker.start[0]) > abs(walker.end[1] - walker.start[1])
        for side, swing in ((-1, stride), (1, -stride)):
            self._draw_leg(picture, (x, z), side, swing, sideways, look.trousers)

    def _draw_leg(
        self,
        picture: Image,
        place: tuple[float, float],
        side: int,
        swing: float,
        sideways: bool,
        colour: tuple[int, int, int],
    ) -> None:
        x, z = place
        hip_x = x + side * (0.04 if sideways else 0.10)
        foot_x = hip_x + (0.26 * swing if sideways else 0.0)
        foot_y = 0.03 + (0.0 if sideways else 0.09 * max(0.0, swing))
        corners = [
            (hip_x - 0.11, HIP_M), (hip_x + 0.11, HIP_M),
            (foot_x + 0.065, foot_y), (foot_x - 0.065, foot_y),
        ]  # fmt: skip
        points = np.array([self._geometry.pixel(px, py, z) for px, py in corners])
        tone = 1.0 if side < 0 else 0.85
        cv2.fillPoly(picture, [points], [tone * part for part in colour], cv2.LINE_AA)
        scale = self._geometry.scale(z)
        size = max(1, round(0.09 * scale)), max(1, round(0.045 * scale))
        shoe = self._geometry.pixel(foot_x, foot_y, z)
        cv2.ellipse(picture, shoe, size, 0, 0, 360, (26, 24, 24), -1, cv2.LINE_AA)

    def _draw_body(self, picture: Image, walker: Walker, look: Look, time_s: float) -> None:
        x, z = walker.at(time_s)
        scale = self._geometry.scale(z) * walker.size
        shoulders_m = walker.face_height_m(time_s) - 0.10 * walker.size
        column, row = self._geometry.project(x, shoulders_m, z)
        width, height = round(BODY_WIDTH_M * scale), round(BODY_HEIGHT_M * scale)
        lay_over(picture, look.body.resized(width, height), round(column - width / 2), round(row))

    def _draw_head(self, picture: Image, walker: Walker, look: Look, time_s: float) -> None:
        x, z = walker.at(time_s)
        x0, y0, x1, y1 = look.face_box
        zoom = FACE_HEIGHT_M * walker.size * self._geometry.scale(z) / (y1 - y0)
        column, row = self._geometry.project(x, walker.face_height_m(time_s), z)
        head = look.head.resized(round(look.head.width * zoom), round(look.head.height * zoom))
        left, top = column - (x0 + x1) / 2 * zoom, row - (y0 + y1) / 2 * zoom
        lay_over(picture, head, round(left), round(top))

    def _draw_label(self, picture: Image) -> None:
        size = picture.shape[1] / 1280
        height = picture.shape[0]
        box = (
            (round(12 * size), height - round(40 * size)),
            (round(330 * size), height - round(10 * size)),
        )
        cv2.rectangle(picture, *box, (38, 30, 24), -1)
        place = round(22 * size), height - round(18 * size)
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(picture, LABEL, place, font, 0.68 * size, (235, 235, 235), 1, cv2.LINE_AA)


@cache
def _shadow() -> Sprite:
    """A soft dark ellipse."""
    rows, columns = np.mgrid[-1:1:64j, -1:1:256j]
    opacity = 0.5 * np.clip(1 - (rows**2 + columns**2), 0, 1)
    return Sprite.of(np.zeros((64, 256, 3), np.uint8), opacity)
