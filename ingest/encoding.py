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


def encode_jpeg(image: Image, quality: int) -> bytes:
    """Return `image` as JPEG; at lower quality if it would be too large for a message."""
    jpeg = _encode(image, quality)
    return jpeg if len(jpeg) <= MAX_JPEG_BYTES else _encode(image, _FALLBACK_QUALITY)


def _encode(image: Image, quality: int) -> bytes:
    done, buffer = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as JPEG")
    return buffer.tobytes()
