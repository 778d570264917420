"""Draws the picture that replaces an old one, so that no old picture looks live."""

from __future__ import annotations

import textwrap
import time
from hashlib import blake2b
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from contract.errors import UploadError
from contract.pictures.frames import MAX_FRAME_PIXELS
from runtime.image_files import require_jpeg

SIZE: Final = (640, 360)
JPEG_QUALITY: Final = 70
LETTER_PX: Final = 32.0
"""Size of the title's letters in a picture 1,100 px wide."""


KEPT_S: Final = 10.0
"""Seconds after which an unused picture of 50 to 100 KB is dropped."""
_drawn: dict[tuple[bytes, str, str], tuple[float, bytes]] = {}
"""Time of the last use, and the picture."""


def draw_placeholder(last_jpeg: bytes, title: str, reason: str) -> bytes:
    """Return a JPEG: the last picture, grey and dim, with the reason why there is no newer one.

    All viewers share the picture until the reason changes. If `last_jpeg` is empty or broken, the
    ground is plain and dark.
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
    """Return the number of pictures held for the next viewers."""
    return len(_drawn)


def _draw(last_jpeg: bytes, title: str, reason: str) -> bytes:
    image = _dimmed(last_jpeg)
    scale = max(0.45, image.width / 1100)
    lines = [title, *textwrap.wrap(reason, max(20, int(52 * image.width / 640 / (scale / 0.58))))]
    step = int(40 * scale)
    top = max(0, (image.height - step * (len(lines) + 1)) // 2)
    band = (0, top, image.width, min(image.height, top + step * (len(lines) + 1)))
    image.paste(image.crop(band).point(lambda value: value // 3), band)
    drawing = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        strong = number == 0
        drawing.text(
            (image.width // 2, top + int(step * (number + 1.05))),
            line.encode("ascii", "replace").decode(),  # all that Pillow's own font has
            fill=255 if strong else 210,
            font=ImageFont.load_default(LETTER_PX * scale * (1.0 if strong else 0.8)),
            anchor="ms",
        )
    encoded = BytesIO()
    image.convert("RGB").save(encoded, "JPEG", quality=JPEG_QUALITY)
    return encoded.getvalue()


def no_picture_since(since_s: float | None) -> str:
    """The title: since when, on the server's clock, with its time zone."""
    if since_s is None:
        return "No picture yet"
    moment = time.localtime(since_s)
    form = "%H:%M:%S %Z" if time.time() - since_s < 20 * 3600 else "%Y-%m-%d %H:%M %Z"
    return f"No picture since {time.strftime(form, moment)}"


def _dimmed(jpeg: bytes) -> Image.Image:
    """Return the picture grey and dark, or a plain ground if there is none that can be read."""
    try:
        require_jpeg(jpeg, MAX_FRAME_PIXELS)
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as found:
            return found.convert("L").point(lambda value: int(value * 0.45))
    except (UploadError, OSError):
        return Image.new("L", SIZE, 32)
