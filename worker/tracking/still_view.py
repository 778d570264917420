"""What is seen at the place of a face that does not move.

A picture on a wall looks the same in every frame. Somebody who stands still does not: they sway,
blink and turn by a fraction of their face, and the light on it changes.
"""

from __future__ import annotations

from typing import Annotated, Final

import cv2
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from worker.saved_state import Count, Pixels, Place, Record

Image = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]

CELLS: Final = 6
"""Across and down. A move by a tenth of the face then changes each cell by half its neighbours'
difference, and neither noise nor compression changes it much."""
LEAST_SIDE_PX: Final = 4
FLAT: Final = 2.0
"""Below this standard deviation of the cells' grey levels there is nothing to be recognised."""
ALIKE: Final = 0.9
"""Least correlation of two views of one picture. In 19 real clips, pictures and signs have 0.94 and
more. Of anybody in view for over 5 s, at most 72 % of the views reach this."""
LEVELS: Final = 40
"""Steps in which a cell's grey is saved, a tenth of the standard deviation each."""
FIRST_CHARACTER: Final = ord("0")
"""Of the levels, none of which is a character that JSON escapes."""
LEAST_COMPARED: Final = 5
ALIKE_SHARE: Final = 0.8
"""Of a picture's views at least this share are alike. In the others somebody passes before it."""


class StillView(Record):
    """What was first seen at a face's place, and how often it was seen again.

    36 grey levels without brightness and contrast: enough to notice a change, too few to recognise
    anybody.
    """

    side: Pixels = 0.0
    """Of the square around the face's first place."""
    cells: Annotated[str, Meta(pattern="^([0-X]{36})?$")] = ""
    """One character a cell, row by row; empty if nothing is known."""
    alike: Count = 0
    compared: Count = 0

    @property
    def is_picture(self) -> bool:
        """Whether it hardly ever looked otherwise."""
        return self.compared >= LEAST_COMPARED and self.alike >= ALIKE_SHARE * self.compared

    def see(self, image: Image, place: Place, height: float) -> None:
        """Compare with a later frame, `(H, W, 3)` uint8 BGR.

        place: centre, height: of the face, in pixels. The first height is kept.
        """
        self.side = self.side or round(height, 1)
        cells = _cells(image, place, self.side)
        if cells is None:
            return
        if not self.cells:
            self.cells = _written(cells)
            return
        first = _read(self.cells)
        likeness = float((first * cells).mean()) / max(float(first.std()), 1e-3)
        self.compared += 1
        self.alike += likeness >= ALIKE


def _cells(image: Image, place: Place, side: float) -> FloatArray | None:
    """`(36,)` grey levels with mean 0 and standard deviation 1; None if too small or flat."""
    height, width = image.shape[:2]
    (x, y), half = place, side / 2
    left, right = max(round(x - half), 0), min(round(x + half), width)
    top, bottom = max(round(y - half), 0), min(round(y + half), height)
    if min(right - left, bottom - top) < LEAST_SIDE_PX:
        return None
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    cells = np.float32(cv2.resize(grey, (CELLS, CELLS), interpolation=cv2.INTER_AREA)).ravel()
    spread = float(cells.std())
    return np.asarray((cells - cells.mean()) / spread, np.float32) if spread >= FLAT else None


def _written(cells: FloatArray) -> str:
    levels = np.clip(np.rint(cells * 10) + LEVELS // 2, 0, LEVELS).astype(int)
    return "".join(chr(FIRST_CHARACTER + level) for level in levels.tolist())


def _read(cells: str) -> FloatArray:
    levels = np.array([ord(one) - FIRST_CHARACTER for one in cells], np.float32)
    return np.asarray((levels - levels.mean()) / 10, np.float32)
