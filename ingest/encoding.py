"""Frames as JPEG."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from contract.pictures.frames import MAX_JPEG_BYTES

Image = NDArray[np.uint8]
"""`(H, W, 3)` BGR."""

_FALLBACK_QUALITY: Final = 60


def fit_size(width: int, height: int, max_width: int) -> tuple[int, int]:
    """Return width and height scaled down to `max_width`, the shape kept, both even.

    >>> fit_size(3840, 2160, 1920)
    (1920, 1080)
    """
    if width <= max_width:
        return width, height
    return max_width // 2 * 2, max(2, round(height * max_width / width / 2) * 2)


def encode_jpeg(image: Image, quality: int) -> bytes:
    """Return `image` as JPEG; at lower quality if it would be too large for a message."""
    jpeg = _encode(image, quality)
    return jpeg if len(jpeg) <= MAX_JPEG_BYTES else _encode(image, _FALLBACK_QUALITY)


def _encode(image: Image, quality: int) -> bytes:
    done, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as JPEG")
    return buffer.tobytes()
