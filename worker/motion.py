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
GROWTH: Final = 0.5
"""How much of its height a face grows or shrinks in a second (one standard deviation)."""

_PLACE = slice(0, 2)  # of the state: centre x, centre y, width, height, and the centre's speed
_SIZE = slice(2, 4)
_SPEED = slice(4, 6)
_STATE: Final = 6
_MEASURED: Final = 4


class BoxMotion:
    """One face's position with its speed, and its size, which has none.

    Constant-velocity model with white acceleration (Bar-Shalom et al., 2001, section 6.2); the
    size walks at random. A face cut off by the picture's edge seems to shrink at great speed: a
    predicted size would soon pass for anyone's far away.
    """

    def __init__(self, box: FloatArray) -> None:
        """Start at `box`, `(4,)` x_min, y_min, x_max, y_max in pixels, at rest."""
        measured = _to_centre(box)
        height = max(float(measured[3]), 1.0)
        self._filter = cv2.KalmanFilter(_STATE, _MEASURED)
        self._filter.measurementMatrix = np.eye(_MEASURED, _STATE, dtype=np.float32)
        self._set(
            np.concatenate([measured, np.zeros(2, np.float32)]),
            _spread((MEASUREMENT_STRAY * height) ** 2, 0.0, (FIRST_SPEED * height) ** 2),
        )

    @property
    def box(self) -> FloatArray:
        """`(4,)` float32 x_min, y_min, x_max, y_max in pixels, as estimated."""
        return _to_corners(self._state[:_MEASURED])

    @property
    def height(self) -> float:
        """Of the face, in pixels, as estimated; at least 1."""
        return max(float(self._state[3]), 1.0)

    def predict(self, step_s: float) -> FloatArray:
        """Return the box expected `step_s` seconds on, changing nothing."""
        moved = self._state[:_MEASURED].copy()
        moved[_PLACE] += self._state[_SPEED] * step_s
        return _to_corners(moved)

    def update(self, box: FloatArray, step_s: float) -> None:
        """Move on by `step_s` seconds and correct with a detection."""
        height = max(float(box[3] - box[1]), 1.0)
        forward = np.eye(_STATE, dtype=np.float32)
        forward[_PLACE, _SPEED] = step_s * np.eye(2, dtype=np.float32)
        self._filter.transitionMatrix = forward
        push, grow = (ACCELERATION * height) ** 2, (GROWTH * height) ** 2
        self._filter.processNoiseCov = _spread(
            push * step_s**4 / 4, push * step_s**3 / 2, push * step_s**2, grow * step_s
        )
        stray = np.float32((MEASUREMENT_STRAY * height) ** 2)
        self._filter.measurementNoiseCov = stray * np.eye(_MEASURED, dtype=np.float32)
        self._filter.predict()
        self._filter.correct(_to_centre(box).reshape(-1, 1))

    def stop(self) -> None:
        """Forget the speed: where the face went meanwhile is not known."""
        state = self._state.copy()
        state[_SPEED] = 0
        height = self.height
        self._set(
            state, _spread((MEASUREMENT_STRAY * height) ** 2, 0.0, (FIRST_SPEED * height) ** 2)
        )

    def shift(self, offset: FloatArray) -> None:
        """Move by `offset`, `(2,)` pixels: the camera was moved, not the face."""
        self._state[_PLACE] += offset

    def encode(self) -> list[float]:
        """State, and the covariance's four different numbers: both axes are filtered alike."""
        spread = self._filter.errorCovPost
        parts = [*self._state, spread[0, 0], spread[0, 4], spread[4, 4], spread[2, 2]]
        return [float(f"{part:.6g}") for part in parts]

    @classmethod
    def decode(cls, numbers: list[float]) -> BoxMotion:
        """Read what `encode` wrote."""
        parts = np.asarray(numbers, dtype=np.float32)
        if parts.shape != (_STATE + 4,):
            raise ValueError(f"a face's motion has {parts.shape} numbers, expected {_STATE + 4}")
        motion = cls(_to_corners(parts[:_MEASURED]))
        motion._set(parts[:_STATE], _spread(*(float(part) for part in parts[_STATE:])))
        return motion

    @property
    def _state(self) -> FloatArray:
        state: FloatArray = np.asarray(self._filter.statePost, np.float32)
        return state.reshape(-1)

    def _set(self, state: FloatArray, spread: FloatArray) -> None:
        self._filter.statePost = np.asarray(state, np.float32).reshape(-1, 1).copy()
        self._filter.errorCovPost = spread


def _spread(place: float, across: float, speed: float, size: float | None = None) -> FloatArray:
    """A covariance `(6, 6)` in which the axes know nothing of each other."""
    spread = np.zeros((_STATE, _STATE), np.float32)
    two = np.eye(2, dtype=np.float32)
    spread[_PLACE, _PLACE] = place * two
    spread[_PLACE, _SPEED] = spread[_SPEED, _PLACE] = across * two
    spread[_SPEED, _SPEED] = speed * two
    spread[_SIZE, _SIZE] = (place if size is None else size) * two
    return spread


def _to_centre(box: FloatArray) -> FloatArray:
    x_min, y_min, x_max, y_max = box
    return np.array(
        [(x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min], np.float32
    )


def _to_corners(centre: FloatArray) -> FloatArray:
    x, y, width, height = centre
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)
