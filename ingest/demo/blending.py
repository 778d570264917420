"""Pictures with transparency, laid over others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.encoding import Image


@dataclass(frozen=True)
class Sprite:
    """A picture with transparency, ready to be laid over another."""

    premultiplied: Image
    """BGR times opacity."""
    see_through: Image
    """255 minus opacity, in each of three channels."""

    @classmethod
    def of(cls, bgr: Image, alpha: NDArray[Any]) -> Sprite:
        """`alpha` is `(H, W)`, 0 to 1."""
        opacity = np.clip(alpha, 0, 1)[..., None].astype(np.float32)
        return cls(
            (bgr * opacity).astype(np.uint8),
            np.repeat((255 * (1 - opacity)).astype(np.uint8), 3, axis=2),
        )

    @property
    def width(self) -> int:
        return int(self.premultiplied.shape[1])

    @property
    def height(self) -> int:
        return int(self.premultiplied.shape[0])

    def resized(self, width: int, height: int) -> Sprite:
        """Return the sprite at another size, from the nearest larger of its halvings.

        Linear interpolation from there looks like averaging from the full size, and takes a
        fifth of its time.
        """
        if 2 * width <= self.width and 2 * height <= self.height:
            return self._half.resized(width, height)
        return Sprite(*(_resize(plane, width, height) for plane in self._planes()))

    @cached_property
    def _half(self) -> Sprite:
        size = self.width // 2, self.height // 2
        return Sprite(*(_resize(plane, *size, cv2.INTER_AREA) for plane in self._planes()))

    def _planes(self) -> tuple[Image, Image]:
        return self.premultiplied, self.see_through


def _resize(image: Image, width: int, height: int, how: int = cv2.INTER_LINEAR) -> Image:
    return cast(Image, cv2.resize(image, (max(1, width), max(1, height)), interpolation=how))


def lay_over(picture: Image, sprite: Sprite, left: int, top: int) -> None:
    """Draw `sprite` into `picture` with its corner at `left, top`; it may stick out."""
    width, height = sprite.width, sprite.height
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + width), min(picture.shape[0], top + height)
    if x0 >= x1 or y0 >= y1:
        return
    there = (slice(y0, y1), slice(x0, x1))
    here = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    below = cv2.multiply(picture[there], sprite.see_through[here], scale=1 / 255)
    picture[there] = cv2.add(below, sprite.premultiplied[here])
