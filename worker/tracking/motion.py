"""Where a face will be: a Kalman filter over a box, in seconds rather than frames."""

from __future__ import annotations

import math
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from worker.saved_state import Record
from worker.tracking.course import MEASUREMENT_STRAY, Box, Course, Spread

FloatArray = npt.NDArray[np.float32]

CUT: Final = 0.15
"""A box that is this share shorter than expected shows a part of a face."""
SHRUNK: Final = 0.15
"""A face that is this share smaller than expected is probably partly hidden. Then the size of its
box counts half as much, or less."""
MOST_SIZE_STRAY: Final = 16.0
"""The measured size of a hidden face strays by at most this factor more, so that the tracker
believes a face that stays smaller in the end."""
CUT_STRAY: Final = 4.0
"""The measured place of a hidden face strays by at most this factor more."""
UNCOVERED: Final = 0.15
"""A face whose size is larger than expected by this logarithm was partly hidden before. It has
neither grown nor come nearer."""
UNCOVERED_STRAY: Final = 3.0
"""The measured place of an uncovered face strays by this factor more."""
DIGITS: Final = 6
"""Significant digits that are kept of each number at each step, because a state has no more."""


class BoxMotion(Record):
    """One face's position and size, and how fast they change.

    A person who walks straight on at constant speed moves in the picture of a pinhole camera by
    `v t / (1 - g t)` and grows by `1 / (1 - g t)`, where `v` and `g` are the present speed and
    growth. Accelerations are white noise (Bar-Shalom et al., 2001, section 6.2).

    The axes are independent of each other, and so are mean and difference of the two sizes.
    Therefore a step takes only a few dozen scalar operations. Each step rounds its numbers to the
    digits that are saved, so that a successor goes on exactly as the owner would have.
    """

    course: Course
    spread: Spread

    @classmethod
    def at(cls, box: FloatArray | Box) -> BoxMotion:
        """Start at `box`, `(4,)` x_min, y_min, x_max, y_max in pixels, at rest."""
        first = Course(*_to_measured(_floats(box)))
        return cls(_saved(first), _saved(Spread.of_unknown_speed(first.height)))

    @property
    def box(self) -> Box:
        """x_min, y_min, x_max, y_max in pixels, as estimated."""
        return self.course.corners

    @property
    def height(self) -> float:
        """Of the face, in pixels, as estimated."""
        return self.course.height

    @property
    def speed_spread(self) -> float:
        """Standard deviation of the speed, in face heights per second."""
        return math.sqrt(max(self.spread.speed, 0.0)) / self.height

    @property
    def speed(self) -> float:
        """How fast the face crosses the picture, in face heights per second."""
        return math.hypot(self.course.speed_x, self.course.speed_y) / self.height

    def predict(self, step_s: float) -> Box:
        """Return the box expected `step_s` seconds on, changing nothing."""
        return self.course.moved(step_s).corners

    def update(self, box: FloatArray | Box, step_s: float) -> None:
        """Move on by `step_s` seconds and correct with a detection."""
        found, expected = _floats(box), self.course.moved(step_s)
        spread = self.spread.moved(step_s, expected.height)
        place_unit = MEASUREMENT_STRAY * expected.height
        measured = _to_measured(found)
        smaller = expected.log_width - measured[2], expected.log_height - measured[3]
        less_sure = 1.0 + (max(0.0, *smaller) / SHRUNK) ** 2
        size_stray, place_stray = min(less_sure, MOST_SIZE_STRAY), min(less_sure, CUT_STRAY)
        whole = completed(found, expected.corners)
        if whole != found:
            measured, place_stray = (*_to_measured(whole)[:2], *measured[2:]), CUT_STRAY
        elif min(smaller) < -UNCOVERED:
            expected = expected.at_least(*measured[2:])
            place_stray = UNCOVERED_STRAY
        sizes = size_stray * MEASUREMENT_STRAY
        self._set(*_corrected(expected, spread, measured, place_stray * place_unit, sizes))

    def stop(self) -> None:
        """Forget the speed, because nobody knows where the face went meanwhile."""
        at_rest = self.course._replace(speed_x=0.0, speed_y=0.0, growth=0.0)
        self._set(at_rest, Spread.of_unknown_speed(self.height))

    def shift(self, offset: FloatArray) -> None:
        """Move by `offset`, `(2,)` pixels, because somebody moved the camera."""
        x, y = (float(part) for part in offset)
        moved = self.course._replace(x=self.course.x + x, y=self.course.y + y)
        self._set(moved, self.spread)

    def _set(self, course: Course, spread: Spread) -> None:
        self.course, self.spread = _saved(course), _saved(spread)


def completed(box: Box, expected: Box) -> Box:
    """The box of a whole face of which a detection shows a part, behind a pillar or a shoulder.

    A box smaller than expected ends, on one side, where the face does, and on the other where what
    hides it begins. The edge that is nearer where it is expected is taken for the face's own.
    """
    x_min, x_max = _completed(box[0], box[2], expected[0], expected[2])
    y_min, y_max = _completed(box[1], box[3], expected[1], expected[3])
    return x_min, y_min, x_max, y_max


def _completed(
    low: float, high: float, expected_low: float, expected_high: float
) -> tuple[float, float]:
    length = expected_high - expected_low
    if high - low >= (1.0 - CUT) * length:
        return low, high
    if abs(high - expected_high) < abs(low - expected_low):
        return high - length, high
    return low, low + length


def _corrected(
    expected: Course, spread: Spread, measured: Box, place_stray: float, size_stray: float
) -> tuple[Course, Spread]:
    """Kalman's correction of the place and the size.

    measured: centre in pixels, logarithms of width and height. The strays are the standard
    deviations of either half: pixels, and of a logarithm.
    """
    placed, spread = _corrected_place(expected, spread, measured[:2], place_stray)
    return _corrected_size(placed, spread, measured[2:], size_stray)


def _corrected_place(
    expected: Course, spread: Spread, centre: tuple[float, float], stray: float
) -> tuple[Course, Spread]:
    """Correct each axis of the place, and its speed."""
    place, noise = max(spread.place, 0.0), stray**2
    gain, speed_gain = place / (place + noise), spread.place_speed / (place + noise)
    right, down = centre[0] - expected.x, centre[1] - expected.y
    return expected._replace(
        x=expected.x + gain * right,
        y=expected.y + gain * down,
        speed_x=expected.speed_x + speed_gain * right,
        speed_y=expected.speed_y + speed_gain * down,
    ), spread._replace(
        place=(1 - gain) * place,
        place_speed=(1 - gain) * spread.place_speed,
        speed=max(spread.speed - speed_gain * spread.place_speed, 0.0),
    )


def _corrected_size(
    expected: Course, spread: Spread, sizes: tuple[float, float], stray: float
) -> tuple[Course, Spread]:
    """Correct mean and difference of the sizes' logarithms, and the growth."""
    mean = max((spread.size + spread.both_sizes) / 2, 0.0)
    apart = max((spread.size - spread.both_sizes) / 2, 0.0)
    noise = stray**2 / 2
    mean_gain, apart_gain = mean / (mean + noise), apart / (apart + noise)
    growth_gain = spread.size_growth / (mean + noise)
    wider, higher = sizes[0] - expected.log_width, sizes[1] - expected.log_height
    larger, flatter = mean_gain * (wider + higher) / 2, apart_gain * (wider - higher) / 2
    mean, apart = (1 - mean_gain) * mean, (1 - apart_gain) * apart
    return expected._replace(
        log_width=expected.log_width + larger + flatter,
        log_height=expected.log_height + larger - flatter,
        growth=expected.growth + growth_gain * (wider + higher) / 2,
    ), spread._replace(
        size=mean + apart,
        both_sizes=mean - apart,
        size_growth=(1 - mean_gain) * spread.size_growth,
        growth=max(spread.growth - growth_gain * spread.size_growth, 0.0),
    )


N = TypeVar("N", Course, Spread)


def _saved(numbers: N) -> N:
    """Return the same numbers with the digits that are saved."""
    return type(numbers)(*(float(f"{number:.{DIGITS}g}") for number in numbers))


def _floats(box: FloatArray | Box) -> Box:
    x_min, y_min, x_max, y_max = map(float, box)
    return x_min, y_min, x_max, y_max


def _to_measured(box: Box) -> Box:
    """Centre, and logarithms of width and height."""
    x_min, y_min, x_max, y_max = box
    width, height = max(x_max - x_min, 1.0), max(y_max - y_min, 1.0)
    return (x_min + x_max) / 2, (y_min + y_max) / 2, math.log(width), math.log(height)
