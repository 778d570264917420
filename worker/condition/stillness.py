"""Tells a frozen picture from a still scene.

A live picture is never quite the same twice: sensors are noisy, and an encoder renews the picture
from that noise with every key frame. So pixels are compared, not shapes. The exception are cameras
that spend next to nothing on a still scene: between two key frames they repeat the picture exactly.
How long a camera does so is learnt from the stretches after which its picture moved on.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

CHANGED_BY: Final = 3
"""Grey values by which a pixel must differ to have changed ..."""
CHANGED_SHARE: Final = 0.01
"""... and the share of pixels that must have, for the picture to be another. Measured over 8 s of
H.264 and JPEG (docs/adr/0013): frozen at most 0.0016, and with a clock in the picture 0.019; a
still scene at least 0.18, unless no key frame falls into the time."""
FROZEN_AFTER_S: Final = 8.0
LONGEST_WAIT_S: Final = 60.0
TIMES_USUAL: Final = 3.0
"""A camera that repeats its picture is frozen only after this many times as long as usual."""
TIMES_SEEN: Final = 3
"""As long as usual is what happened so often: a camera may hang once or twice and recover."""
NATURAL_S: Final = 20.0
"""A picture that moves on after this long was not frozen: so long may key frames be apart."""


class Stillness:
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
        """Whether a frame, by its grid of pixels, is the same picture as the last.

        None when there is nothing to compare with: the first frame since a worker took over.
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
