"""The width of a camera's pictures for the face detector, chosen by the faces that are seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np

from contract.cameras.detector_width import WIDTHS_PX
from worker.verdicts.evidence import LEAST_FACE_PX

MOST_FACES: Final = 400
LEAST_FACES: Final = 100
"""Faces to see at one width before it changes: half a minute of two people at 8 frames a second."""
SMALL_SHARE: Final = 20.0
"""Percent of faces that may be smaller than the choice is made for."""
WANTED_PX: Final = 20.0
"""Height of a small face in the detector's input. The detector finds 9 in 10 from there on."""
MARGIN: Final = 1.25
"""How far a width must be from what is needed before a smaller one is taken."""


class AutomaticWidth:
    """Keeps the newest faces' heights as shares of the picture's width, and chooses by them.

    A worker that takes over a camera begins at the narrowest width, and learns again.
    """

    def __init__(self) -> None:
        self.width_px = WIDTHS_PX[0]
        self._heights: deque[float] = deque(maxlen=MOST_FACES)
        self._since_change = 0

    def see(self, heights_px: Iterable[float], frame_width_px: int) -> None:
        """Take in the faces of one frame. Faces too small to be judged need no wider input."""
        judged = [px / frame_width_px for px in heights_px if px >= LEAST_FACE_PX]
        if not judged:
            return
        self._heights.extend(judged)
        self._since_change += len(judged)
        if self._since_change >= LEAST_FACES:
            self._choose(frame_width_px)

    def _choose(self, frame_width_px: int) -> None:
        small = float(np.percentile(list(self._heights), SMALL_SHARE))
        before, needed_px = self.width_px, min(WANTED_PX / small, frame_width_px)
        at_ease_px = min(WANTED_PX * MARGIN / small, frame_width_px)
        wider, narrower = _at_least(needed_px), _at_least(at_ease_px)
        if wider > before:
            self.width_px = wider
        elif narrower < before:
            self.width_px = narrower
        if self.width_px != before:
            self._heights.clear()
            self._since_change = 0


def _at_least(width_px: float) -> int:
    """Return the narrowest width that has `width_px`, or the widest."""
    return next((width for width in WIDTHS_PX if width >= width_px), WIDTHS_PX[-1])
