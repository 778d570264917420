"""Maps points of the concourse to pixels of the picture.

Metres: `x` to the right of the camera's axis, `y` up from the floor, `z` away from the
camera. A pinhole camera at 2 m looks straight ahead, its axis raised in the picture, as a
sensor shifted for buildings would see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CAMERA_HEIGHT_M: Final = 2.0
FACE_HEIGHT_M: Final = 0.24
"""From the hairline to the chin, as face detectors draw their boxes."""
FACE_WIDTH_M: Final = 0.19


@dataclass(frozen=True)
class Geometry:
    """The camera of a picture `width` x `height` pixels."""

    width: int
    height: int

    @property
    def focal(self) -> float:
        """Pixels."""
        return 0.9 * self.width

    @property
    def horizon(self) -> float:
        """Pixels from the top."""
        return 0.24 * self.height

    def scale(self, z: float) -> float:
        """Pixels a metre at distance `z`."""
        return self.focal / z

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Return the pixel of a point."""
        scale = self.scale(z)
        return self.width / 2 + x * scale, self.horizon + (CAMERA_HEIGHT_M - y) * scale

    def pixel(self, x: float, y: float, z: float) -> tuple[int, int]:
        """`project`, rounded, as OpenCV's drawing wants it."""
        column, row = self.project(x, y, z)
        return round(column), round(row)
