"""How a face moves in the picture, and how certain that is, in seconds rather than frames."""

from __future__ import annotations

import math
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from worker.saved_state import Amount, Pixels, Signed

Box = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels."""

# Lengths below are in face heights. A face is about 0.24 m high.
MEASUREMENT_STRAY: Final = 0.06
"""Standard deviation of a detection's distance from the face. Between frames of a still face on the
concourse clip, the median distance is 0.03."""
ACCELERATION: Final = 6.0
"""Standard deviation of a walker's acceleration, per second squared: about 1 m/s²."""
FIRST_SPEED: Final = 4.0
"""Standard deviation of the speed of a face seen once, per second."""
FIRST_GROWTH: Final = 0.2
"""Standard deviation of the growth of a face seen once, per second. The face of a person who walks
towards the camera grows by 15 % per second at 9 m, and by 50 % at 2.5 m."""
GROWTH_CHANGE: Final = 0.15
"""Standard deviation of the change of growth in a second."""
LEAST_GROWTH: Final = -0.3
MOST_GROWTH: Final = 0.7
"""`LEAST_GROWTH` and `MOST_GROWTH` bound growth, because a face that the picture's edge cuts off
only seems to shrink fast."""
MOST_ZOOM: Final = 1.8
TURNING: Final = 0.02
"""Variance of the logarithm of each side in a second, because heads turn."""
Log = Annotated[float, Meta(ge=-5, le=15)]
"""Logarithm of a length in pixels."""
Growth = Annotated[float, Meta(ge=-100, le=100)]


class Course(NamedTuple):
    """A face now. Lengths in pixels, sizes as their logarithms, rates a second."""

    x: Pixels
    y: Pixels
    log_width: Log
    log_height: Log
    speed_x: Signed = 0.0
    speed_y: Signed = 0.0
    growth: Growth = 0.0
    """Of both logarithms."""

    @property
    def height(self) -> float:
        return math.exp(self.log_height)

    @property
    def corners(self) -> Box:
        half_width, half_height = math.exp(self.log_width) / 2, self.height / 2
        return (
            self.x - half_width,
            self.y - half_height,
            self.x + half_width,
            self.y + half_height,
        )

    def at_least(self, log_width: float, log_height: float) -> Course:
        """The same face, no smaller than these."""
        return self._replace(
            log_width=max(self.log_width, log_width),
            log_height=max(self.log_height, log_height),
        )

    def moved(self, step_s: float) -> Course:
        """The face after a walk of `step_s` seconds, as a pinhole camera sees it."""
        growth = min(max(self.growth, LEAST_GROWTH), MOST_GROWTH)
        zoom = min(1.0 / max(1.0 - growth * step_s, 1.0 / MOST_ZOOM), MOST_ZOOM)
        far, larger = step_s * zoom, math.log(zoom)
        return Course(
            self.x + self.speed_x * far,
            self.y + self.speed_y * far,
            self.log_width + larger,
            self.log_height + larger,
            self.speed_x * zoom**2,
            self.speed_y * zoom**2,
            growth * zoom,
        )


class Spread(NamedTuple):
    """The seven different numbers of the covariance. Both axes have the same, independently."""

    place: Amount
    place_speed: Signed
    speed: Amount
    size: Amount
    both_sizes: Signed
    """Of the logarithms of width and height with each other."""
    size_growth: Signed
    growth: Amount

    @classmethod
    def of_unknown_speed(cls, height: float) -> Spread:
        stray = MEASUREMENT_STRAY
        return cls(
            (stray * height) ** 2, 0, (FIRST_SPEED * height) ** 2, stray**2, 0, 0, FIRST_GROWTH**2
        )

    def moved(self, step_s: float, height: float) -> Spread:
        """After `step_s` seconds of white accelerations."""
        push, grow = (ACCELERATION * height) ** 2, GROWTH_CHANGE**2
        to_place, to_both, to_speed = step_s**4 / 4, step_s**3 / 2, step_s**2
        grown = (2 * self.size_growth + step_s * self.growth) * step_s + grow * to_place
        return Spread(
            self.place + (2 * self.place_speed + step_s * self.speed) * step_s + push * to_place,
            self.place_speed + step_s * self.speed + push * to_both,
            self.speed + push * to_speed,
            self.size + grown + TURNING * step_s,
            self.both_sizes + grown,
            self.size_growth + step_s * self.growth + grow * to_both,
            self.growth + grow * to_speed,
        )
