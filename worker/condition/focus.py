"""Tells whether a camera's picture has lost its detail, against what is usual for it."""

from __future__ import annotations

from typing import Final

from worker.saved_state import Amount, Record

NO_DETAIL: Final = 0.125
"""Sharpness, as in `PictureMeasures`, of a picture with no fine detail at all."""
LEAST: Final = 0.03
"""A picture with less detail is blurred, because no face of a usual size can be judged in it."""
ENOUGH: Final = 0.04
BLURRED: Final = 0.5
"""A picture with less than this share of the camera's usual detail is blurred. Real scenes stay
above 0.6 even in pans and crowds; a Gaussian blur of 2 px in 640 leaves 0.2, and 0.4 of a soft
picture (docs/adr/0013)."""
SHARP_AGAIN: Final = 0.65
LEARNT_AFTER_S: Final = 20.0
MEMORY_S: Final = 600.0


class Focus(Record):
    """The detail that a camera's picture usually has."""

    usual: Amount = 0.0
    """Sharpness beyond `NO_DETAIL`."""
    learnt_s: Amount = 0.0
    """Seconds of pictures behind `usual`, at most `MEMORY_S`."""

    def blurred(self, sharpness: float) -> bool | None:
        """Whether a picture of this sharpness is blurred; None if neither is certain."""
        detail = sharpness - NO_DETAIL
        known = self.learnt_s >= LEARNT_AFTER_S
        if detail < LEAST or (known and detail < BLURRED * self.usual):
            return True
        return False if detail > max(ENOUGH, SHARP_AGAIN * self.usual if known else 0.0) else None

    def learn(self, sharpness: float, step_s: float) -> None:
        """Learn that the picture had this sharpness for `step_s` seconds, with nothing wrong."""
        self.learnt_s = min(self.learnt_s + step_s, MEMORY_S)
        if self.learnt_s > 0:
            share = step_s / self.learnt_s
            self.usual += min(share, 1.0) * (sharpness - NO_DETAIL - self.usual)

    def forget(self) -> None:
        """Begin anew, because another view has other detail."""
        self.usual, self.learnt_s = 0.0, 0.0
