"""The picture shown instead of one that would look live and is not."""

from __future__ import annotations

import textwrap
import time
from hashlib import blake2b
from typing import Any, Final

import cv2
import numpy as np

from contract.errors import UploadError
from contract.pictures.frames import MAX_FRAME_PIXELS
from runtime.image_files import require_jpeg

SIZE: Final = (640, 360)
JPEG_QUALITY: Final = 70
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX


KEPT_S: Final = 10.0
"""A picture that nobody was sent for so long is forgotten: it is 50 to 100 KB."""
_drawn: dict[tuple[bytes, str, str], tuple[float, bytes]] = {}
"""When each was last sent, and the picture."""


def draw_placeholder(last_jpeg: bytes, title: str, reason: str) -> bytes:
    """Return a JPEG: the last picture, grey and dim, with why there is no newer one.

    The same picture serves every viewer until the reason changes. Empty or broken
    `last_jpeg`: a plain dark ground.
    """
    now_s = time.monotonic()
    for old in [key for key, (sent_s, _) in list(_drawn.items()) if now_s - sent_s > KEPT_S]:
        _drawn.pop(old, None)
    key = (blake2b(last_jpeg).digest(), title, reason)
    found = _drawn.get(key)
    jpeg = found[1] if found else _draw(last_jpeg, title, reason)
    _drawn[key] = (now_s, jpeg)
    return jpeg


def kept_placeholders() -> int:
    """How many drawn pictures are held for the next viewer."""
    return len(_drawn)


def _draw(last_jpeg: bytes, title: str, reason: str) -> bytes:
    image = _dimmed(last_jpeg)
    height, width = image.shape[:2]
    scale = max(0.45, width / 1100)
    lines = [title, *textwrap.wrap(reason, max(20, int(52 * width / 640 / (scale / 0.58))))]
    step = int(40 * scale)
    top = max(0, (height - step * (len(lines) + 1)) // 2)
    band = image[top : top + step * (len(lines) + 1)]
    band[:] = band // 3
    for number, line in enumerate(lines):
        strong = number == 0
        baseline = top + int(step * (number + 1.05))
        colour = (255, 255, 255) if strong else (210, 210, 210)
        _centred(image, line, baseline, scale * (1.0 if strong else 0.8), colour)
    encoded: Any = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return bytes(encoded.tobytes())


def no_picture_since(since_s: float | None) -> str:
    """The title: since when, on the server's clock, with its time zone."""
    if since_s is None:
        return "No picture yet"
    moment = time.localtime(since_s)
    form = "%H:%M:%S %Z" if time.time() - since_s < 20 * 3600 else "%Y-%m-%d %H:%M %Z"
    return f"No picture since {time.strftime(form, moment)}"


def _dimmed(jpeg: bytes) -> np.ndarray[Any, Any]:
    try:
        require_jpeg(jpeg, MAX_FRAME_PIXELS)
        decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    except (UploadError, cv2.error):
        decoded = None
    if decoded is None:
        return np.full((SIZE[1], SIZE[0], 3), 32, np.uint8)
    return cv2.cvtColor(np.asarray(decoded * 0.45, np.uint8), cv2.COLOR_GRAY2BGR)


def _centred(
    image: np.ndarray[Any, Any], text: str, baseline: int, scale: float, colour: Any
) -> None:
    # The built-in font has ASCII only.
    text = text.encode("ascii", "replace").decode()
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, 1)
    left = max(4, (image.shape[1] - width) // 2)
    thickness = 1 if scale < 0.9 else 2
    cv2.putText(image, text, (left, baseline), _FONT, scale, colour, thickness, cv2.LINE_AA)
