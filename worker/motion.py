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

_AXES: Final = 4  # centre x, centre y, width, height; each with its speed


class BoxMotion:
    """One face's position, size and their speeds, each axis by itself.

    Constant-velocity model with white acceleration (Bar-Shalom et al., 2001, section 6.2).
    """

    def __init__(self, box: FloatArray) -> None:
        """Start at `box`, `(4,)` x_min, y_min, x_max, y_max in pixels, at rest."""
        measured = _to_centre(box)
        self._filter = cv2.KalmanFilter(2 * _AXES, _AXES)
        self._filter.measurementMatrix = np.eye(_AXES, 2 * _AXES, dtype=np.float32)
        self._filter.statePost = np.concatenate([measured, np.zeros(_AXES)]).astype(np.float32)
        height = max(float(measured[3]), 1.0)
        spread = np.repeat([MEASUREMENT_STRAY * height, FIRST_SPEED * height], _AXES)
        self._filter.errorCovPost = np.diag(spread**2).astype(np.float32)

    @property
    def box(self) -> FloatArray:
        """`(4,)` float32 x_min, y_min, x_max, y_max in pixels, as estimated."""
        return _to_corners(np.asarray(self._filter.statePost.ravel()[:_AXES], np.float32))

    def predict(self, step_s: float) -> FloatArray:
        """Return the box expected `step_s` seconds on, changing nothing."""
        state = self._filter.statePost.ravel()
        moved = np.array(state[:_AXES], np.float32)
        # The size stays: a face cut off by the picture's edge seems to shrink at great speed,
        # and would soon pass for anyone far away.
        moved[:2] = moved[:2] + state[_AXES : _AXES + 2] * step_s
        return _to_corners(moved)

    def update(self, box: FloatArray, step_s: float) -> None:
        """Move on by `step_s` seconds and correct with a detection."""
        height = max(float(box[3] - box[1]), 1.0)
        eye = np.eye(_AXES, dtype=np.float32)
        self._filter.transitionMatrix = np.block([[eye, step_s * eye], [0 * eye, eye]])
        block = np.array([[step_s**4 / 4, step_s**3 / 2], [step_s**3 / 2, step_s**2]])
        noise = np.kron(block, np.eye(_AXES)) * (ACCELERATION * height) ** 2
        self._filter.processNoiseCov = noise.astype(np.float32)
        self._filter.measurementNoiseCov = eye * np.float32((MEASUREMENT_STRAY * height) ** 2)
        self._filter.predict()
        self._filter.correct(_to_centre(box).reshape(-1, 1))

    def encode(self) -> list[float]:
        """State and the non-zero parts of its covariance: 8 + 12 numbers."""
        state = self._filter.statePost.ravel()
        spread = self._filter.errorCovPost
        axes = range(_AXES)
        parts = [
            *state,
            *(spread[a, a] for a in axes),
            *(spread[a, a + _AXES] for a in axes),
            *(spread[a + _AXES, a + _AXES] for a in axes),
        ]
        return [float(f"{part:.6g}") for part in parts]

    @classmethod
    def decode(cls, numbers: list[float]) -> BoxMotion:
        """Read what `encode` wrote."""
        parts = np.asarray(numbers, dtype=np.float32).reshape(5, _AXES)
        motion = cls(_to_corners(parts[0]))
        motion._filter.statePost = parts[:2].reshape(-1, 1).copy()
        within, across, speed = map(np.diag, parts[2:])
        motion._filter.errorCovPost = np.block([[within, across], [across, speed]])
        return motion


def _to_centre(box: FloatArray) -> FloatArray:
    x_min, y_min, x_max, y_max = box
    return np.array(
        [(x_min + x_max) / 2, (y_min + y_max) / 2, x_max - x_min, y_max - y_min], np.float32
    )


def _to_corners(centre: FloatArray) -> FloatArray:
    x, y, width, height = centre
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)
