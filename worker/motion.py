"""Where a face will be: OpenCV's Kalman filter over a box, in seconds rather than frames."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# In face heights: how far a detection strays from the face, how hard a walker accelerates.
# A face is about 0.24 m high and people accelerate at about 1 m/s²; the detector's jitter was
# measured on the concourse clip (median 0.03 of a height between frames of a still face).
MEASUREMENT_STRAY: Final = 0.06
ACCELERATION: Final = 6.0
FIRST_SPEED: Final = 4.0
FIRST_GROWTH: Final = 0.2
"""Faces of people who walk towards the camera grow by 0.15 of themselves a second at 9 m, by 0.5
at 2.5 m."""
GROWTH_CHANGE: Final = 0.15
"""... and that changes by about this much in a second."""
LEAST_GROWTH: Final = -0.3
MOST_GROWTH: Final = 0.7
"""A face cut off by the picture's edge seems to shrink at great speed; nobody does."""
MOST_ZOOM: Final = 1.8
CUT: Final = 0.15
"""A box that is shorter by this part than it should be shows a part of a face."""
SHRUNK: Final = 0.15
"""A face that is smaller by this part than it should be is partly hidden: how large its box is says
half as surely, or less, how large it is ..."""
MOST_SIZE_STRAY: Final = 16.0
"""... but it does say so: a face that is smaller for good must be believed in the end ..."""
CUT_STRAY: Final = 4.0
"""... and where it is, is as much less sure."""
UNCOVERED: Final = 0.15
"""A face that is larger by this part (of the logarithm) than it should be was partly hidden before:
it has not grown, nor come nearer."""
UNCOVERED_STRAY: Final = 3.0

_PLACE = slice(0, 2)  # of the state: centre x, centre y, logarithms of width and height,
_SIZE = slice(2, 4)  # the centre's speed, the growth of the logarithms
_SPEED = slice(4, 6)
_GROWTH: Final = 6
_STATE: Final = 7
_MEASURED: Final = 4


class BoxMotion:
    """One face's position and size, and how fast they change.

    Who walks straight on at constant speed moves in the picture by `v t / (1 - g t)` and grows by
    `1 / (1 - g t)`, `v` and `g` being their speed and growth now: a pinhole camera, whatever its
    focal length. Accelerations are white noise (Bar-Shalom et al., 2001, section 6.2).
    """

    def __init__(self, box: FloatArray) -> None:
        """Start at `box`, `(4,)` x_min, y_min, x_max, y_max in pixels, at rest."""
        self._filter = cv2.KalmanFilter(_STATE, _MEASURED)
        self._filter.measurementMatrix = np.eye(_MEASURED, _STATE, dtype=np.float32)
        self._set(np.concatenate([_to_measured(box), np.zeros(3, np.float32)]))
        self._filter.errorCovPost = self._unknown_speed()

    @property
    def box(self) -> FloatArray:
        """`(4,)` float32 x_min, y_min, x_max, y_max in pixels, as estimated."""
        return _to_corners(self._state)

    @property
    def height(self) -> float:
        """Of the face, in pixels, as estimated."""
        return float(np.exp(self._state[3]))

    @property
    def speed_spread(self) -> float:
        """How surely the speed is known: its standard deviation in face heights a second."""
        return float(np.sqrt(self._filter.errorCovPost[4, 4])) / self.height

    def predict(self, step_s: float) -> FloatArray:
        """Return the box expected `step_s` seconds on, changing nothing."""
        return _to_corners(_moved(self._state, step_s))

    def update(self, box: FloatArray, step_s: float) -> None:
        """Move on by `step_s` seconds and correct with a detection."""
        expected, measured = _moved(self._state, step_s), _to_measured(box)
        height = float(np.exp(expected[3]))
        smaller = expected[_SIZE] - measured[_SIZE]
        shrunk = max(0.0, float(smaller.max()))
        less_sure = 1.0 + (shrunk / SHRUNK) ** 2
        size_stray, place_stray = min(less_sure, MOST_SIZE_STRAY), min(less_sure, CUT_STRAY)
        whole = completed(box, _to_corners(expected))
        if (whole != box).any():
            measured[_PLACE], place_stray = _to_measured(whole)[_PLACE], CUT_STRAY
        elif smaller.min() < -UNCOVERED:
            expected[_SIZE] = np.maximum(expected[_SIZE], measured[_SIZE])
            place_stray = UNCOVERED_STRAY
        scale = np.repeat([place_stray * height, size_stray], 2) * MEASUREMENT_STRAY
        self._filter.measurementNoiseCov = np.diag(scale**2).astype(np.float32)
        self._filter.transitionMatrix = _forward(step_s)
        self._filter.processNoiseCov = _noise(ACCELERATION * height, step_s)
        self._filter.predict()
        self._filter.statePre = expected.reshape(-1, 1)
        self._filter.correct(measured.reshape(-1, 1))

    def stop(self) -> None:
        """Forget the speed: where the face went meanwhile is not known."""
        state = self._state.copy()
        state[_SPEED.start :] = 0
        self._set(state)
        self._filter.errorCovPost = self._unknown_speed()

    def shift(self, offset: FloatArray) -> None:
        """Move by `offset`, `(2,)` pixels: the camera was moved, not the face."""
        state = self._state.copy()
        state[_PLACE] += offset
        self._set(state)

    def encode(self) -> list[float]:
        """State, and the covariance's seven different numbers: both axes are filtered alike."""
        spread = self._filter.errorCovPost
        parts = [
            *self._state,
            *(spread[row, column] for row, column in _DIFFERENT),
        ]
        return [float(f"{part:.6g}") for part in parts]

    @classmethod
    def decode(cls, numbers: list[float]) -> BoxMotion:
        """Read what `encode` wrote."""
        parts = np.asarray(numbers, dtype=np.float32)
        if parts.shape != (_STATE + len(_DIFFERENT),):
            expected = _STATE + len(_DIFFERENT)
            raise ValueError(f"a face's motion has {parts.shape} numbers, expected {expected}")
        motion = cls(_to_corners(parts))
        motion._set(parts[:_STATE])
        motion._filter.errorCovPost = _spread(*(float(part) for part in parts[_STATE:]))
        return motion

    @property
    def _state(self) -> FloatArray:
        state: FloatArray = np.asarray(self._filter.statePost, np.float32)
        return state.reshape(-1)

    def _set(self, state: FloatArray) -> None:
        self._filter.statePost = np.asarray(state, np.float32).reshape(-1, 1).copy()

    def _unknown_speed(self) -> FloatArray:
        stray, height = MEASUREMENT_STRAY, self.height
        return _spread(
            (stray * height) ** 2, 0, (FIRST_SPEED * height) ** 2, stray**2, 0, 0, FIRST_GROWTH**2
        )


_DIFFERENT: Final = ((0, 0), (0, 4), (4, 4), (2, 2), (2, 3), (2, _GROWTH), (_GROWTH, _GROWTH))
"""Where in the covariance its different numbers stand."""


def completed(box: FloatArray, expected: FloatArray) -> FloatArray:
    """The box of a whole face of which a detection shows a part, behind a pillar or a shoulder.

    A box smaller than expected ends, on one side, where the face does, and on the other where what
    hides it begins. The edge that is nearer where it is expected is taken for the face's own.
    box, expected: `(4,)` x_min, y_min, x_max, y_max in pixels.
    """
    whole = np.array(box, np.float32)
    for low, high in ((0, 2), (1, 3)):
        length = expected[high] - expected[low]
        if box[high] - box[low] >= (1.0 - CUT) * length:
            continue
        if abs(box[high] - expected[high]) < abs(box[low] - expected[low]):
            whole[low] = box[high] - length
        else:
            whole[high] = box[low] + length
    return whole


def _forward(step_s: float) -> FloatArray:
    """How a small error now becomes one of the state `step_s` seconds on, `(7, 7)`."""
    forward = np.eye(_STATE, dtype=np.float32)
    forward[_PLACE, _SPEED] = step_s * np.eye(2, dtype=np.float32)
    forward[_SIZE, _GROWTH] = step_s
    return forward


def _spread(
    place: float,
    place_speed: float,
    speed: float,
    size: float,
    both_sizes: float,
    size_growth: float,
    growth: float,
) -> FloatArray:
    """A covariance `(7, 7)` from its different numbers."""
    spread = np.zeros((_STATE, _STATE), np.float32)
    two = np.eye(2, dtype=np.float32)
    spread[_PLACE, _PLACE] = place * two
    spread[_PLACE, _SPEED] = spread[_SPEED, _PLACE] = place_speed * two
    spread[_SPEED, _SPEED] = speed * two
    spread[_SIZE, _SIZE] = both_sizes + (size - both_sizes) * two
    spread[_SIZE, _GROWTH] = spread[_GROWTH, _SIZE] = size_growth
    spread[_GROWTH, _GROWTH] = growth
    return spread


def _noise(acceleration: float, step_s: float) -> FloatArray:
    """What white accelerations add to the covariance in a step."""
    push, grow = acceleration**2, GROWTH_CHANGE**2
    powers = step_s**4 / 4, step_s**3 / 2, step_s**2
    place, place_speed, speed = (push * power for power in powers)
    size, size_growth, growth = (grow * power for power in powers)
    # Each side strays by itself, too: a head turns.
    return _spread(place, place_speed, speed, size + 0.02 * step_s, size, size_growth, growth)


def _moved(state: FloatArray, step_s: float) -> FloatArray:
    """The state after a walk of `step_s` seconds, as a pinhole camera sees it."""
    growth = min(max(float(state[_GROWTH]), LEAST_GROWTH), MOST_GROWTH)
    zoom = min(1.0 / max(1.0 - growth * step_s, 1.0 / MOST_ZOOM), MOST_ZOOM)
    moved = np.array(state, np.float32)
    moved[_PLACE] += state[_SPEED] * step_s * zoom
    moved[_SIZE] += np.log(zoom)
    moved[_SPEED] *= zoom**2
    moved[_GROWTH] = growth * zoom
    return moved


def _to_measured(box: FloatArray) -> FloatArray:
    x_min, y_min, x_max, y_max = box
    width, height = max(x_max - x_min, 1.0), max(y_max - y_min, 1.0)
    return np.array(
        [(x_min + x_max) / 2, (y_min + y_max) / 2, np.log(width), np.log(height)], np.float32
    )


def _to_corners(state: FloatArray) -> FloatArray:
    x, y = state[_PLACE]
    width, height = np.exp(state[_SIZE])
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)
