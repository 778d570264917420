"""Tells a frozen picture from an empty scene.

A live picture is never exactly the same twice: sensors are noisy, and an encoder renews the picture
with that noise at every key frame. So pixels are compared, not shapes. Some cameras save bits on
an empty scene and repeat the picture exactly between two key frames. How long a camera does so is
learnt from the stretches after which its picture changed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

CHANGED_BY: Final = 3
"""A pixel has changed if it differs by at least this many grey values."""
CHANGED_SHARE: Final = 0.01
"""A picture is another if more than this share of its pixels changed. Measured over 8 s of H.264
and JPEG (docs/adr/0013): at most 0.0016 if frozen, 0.019 with a clock in the picture, and at least
0.18 in an empty scene with a key frame in that time."""
FROZEN_AFTER_S: Final = 8.0
LONGEST_WAIT_S: Final = 60.0
TIMES_USUAL: Final = 3.0
"""A camera is frozen if it repeats a picture for this many times as long as it usually does."""
TIMES_SEEN: Final = 3
"""A stretch is usual once so many were at least as long. A camera may hang once or twice."""
NATURAL_S: Final = 20.0
"""A picture that changes within this time was not frozen: key frames may be this far apart."""


class Repetition:
    """Since when a camera has shown the same picture."""

    def __init__(self, stretches_s: list[float] | None = None) -> None:
        """Go on from `stretches_s`, which becomes its own; without them, begin anew."""
        self.stretches_s = [] if stretches_s is None else stretches_s
        """The longest stretches of one picture that ended by themselves, longest first."""
        self._first: Image | None = None
        self._since_s = 0.0
        self._changed = False

    @property
    def frozen_after_s(self) -> float:
        """How long this camera may show the same picture."""
        usual_s = self.stretches_s[-1] if len(self.stretches_s) == TIMES_SEEN else 0.0
        return min(LONGEST_WAIT_S, max(FROZEN_AFTER_S, TIMES_USUAL * usual_s))

    def same(self, grid: Image, time_s: float) -> bool | None:
        """Whether a frame's grid of pixels shows the same picture as the frame before.

        None for the first frame after a worker took over.
        """
        if self._first is None:
            self._begin(grid, time_s)
            return None
        if _same(self._first, grid):
            return True
        lasted_s = time_s - self._since_s
        # The first stretch that this worker saw may have begun long before.
        if self._changed and lasted_s <= max(NATURAL_S, self.frozen_after_s):
            longest_first = sorted([*self.stretches_s, round(lasted_s, 2)], reverse=True)
            self.stretches_s[:] = longest_first[:TIMES_SEEN]
        self._changed = True
        self._begin(grid, time_s)
        return False

    def _begin(self, grid: Image, time_s: float) -> None:
        self._first, self._since_s = grid, time_s


def _same(first: Image, grid: Image) -> bool:
    if first.shape != grid.shape:
        return False
    # Unsigned, so the smaller of both differences is the true one.
    apart = np.minimum(first - grid, grid - first)
    return float((apart >= CHANGED_BY).mean()) <= CHANGED_SHARE
