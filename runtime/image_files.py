"""Accepts image files by their content, never by their name or content type.

The same library (Pillow) reads a file's header and decodes the file, to the size in the header or
not at all. So a file that was refused for its size cannot be decoded as something else.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image as PillowImage
from PIL import ImageOps

from contract.errors import (
    UploadDamagedError,
    UploadEmptyError,
    UploadTooLargeError,
    UploadTypeError,
)

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_PIXELS: Final = 40_000_000
"""Most pixels of an image: more than most phones' photographs have (12 to 24 million); 120 MB
decoded."""
LEAST_SIDE: Final = 16

_SIGNS: Final[dict[str, Callable[[bytes], bool]]] = {
    "JPEG": lambda data: data.startswith(b"\xff\xd8\xff"),
    "PNG": lambda data: data.startswith(b"\x89PNG\r\n\x1a\n"),
    "WEBP": lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP",
}


@dataclass(frozen=True)
class ImageHeader:
    """The header of an image file."""

    format: str
    """One of `FORMATS`."""
    width: int
    height: int
    """Height in pixels as stored, before the rotation that the file may specify."""


def read_header(data: bytes) -> ImageHeader:
    """Read an image's kind and size without decoding it.

    Raises:
        UploadEmptyError: the file is empty.
        UploadTooLargeError: the file has too many bytes or pixels.
        UploadTypeError: the file is not a JPEG, PNG or WebP image.
        UploadDamagedError: the header cannot be read, or the image is too small.
    """
    _check_bytes(data)
    with _open(data) as image:
        return _checked(image)


def decode_image(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode an image, upright, to `(H, W, 3)` uint8 BGR; the first picture of an animation.

    Raises:
        UploadError: as `read_header`; `UploadDamagedError` also if the content is cut off.
    """
    _check_bytes(data)
    with _open(data) as image:
        _checked(image)
        try:
            image.load()
            upright = ImageOps.exif_transpose(image)
            rgb = np.asarray(_in_eight_bits(upright).convert("RGB"), np.uint8)
        except Exception as error:  # a decoder's errors share no base class
            raise UploadDamagedError(
                f"the {image.format} image cannot be decoded ({_words(error)}): it is cut off or "
                "damaged; save it again"
            ) from error
    return np.ascontiguousarray(rgb[:, :, ::-1])


def require_jpeg(data: bytes, most_pixels: int) -> None:
    """Check a picture from Redis before decoding it: it must be a JPEG and not too large.

    A few hundred bytes can declare gigabytes of pixels. The check takes 30 µs.

    Raises:
        UploadTypeError: it is not a JPEG.
        UploadDamagedError: the header cannot be read.
        UploadTooLargeError: it has more than `most_pixels` pixels.
    """
    if not _SIGNS["JPEG"](data):
        raise UploadTypeError("it is not a JPEG")
    with _open(data, ("JPEG",)) as image:
        width, height = image.size
    if width * height > most_pixels:
        raise UploadTooLargeError(f"it has {width} x {height} pixels, at most {most_pixels}")


def _check_bytes(data: bytes) -> None:
    if not data:
        raise UploadEmptyError("the file is empty; choose another")
    if len(data) > MOST_BYTES:
        raise UploadTooLargeError(
            f"the file has {len(data) / 2**20:.1f} MB; the limit is {MOST_BYTES / 2**20:.0f} MB: "
            "make the image smaller"
        )
    if not any(is_one(data) for is_one in _SIGNS.values()):
        raise UploadTypeError(
            "by its content the file is not a JPEG, PNG or WebP image, whatever its name says; "
            "save it as one of these"
        )


def _open(data: bytes, formats: tuple[str, ...] = FORMATS) -> PillowImage.Image:
    try:
        with warnings.catch_warnings():
            # Our own limit is lower, and an error.
            warnings.simplefilter("ignore")
            return PillowImage.open(io.BytesIO(data), formats=formats)
    except PillowImage.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except Exception as error:  # a parser's errors share no base class
        raise UploadDamagedError(
            "the file starts like an image, but its header cannot be read: it is cut off or "
            "damaged; save it again"
        ) from error


def _in_eight_bits(image: PillowImage.Image) -> PillowImage.Image:
    """Return an image of 16-bit greys with its upper eight bits; Pillow would cut off the light."""
    if not image.mode.startswith("I"):
        return image
    return PillowImage.fromarray((np.asarray(image, np.uint16) >> 8).astype(np.uint8))


def _checked(image: PillowImage.Image) -> ImageHeader:
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _too_many_pixels(f"{width} x {height} pixels, more")
    if min(width, height) < LEAST_SIDE:
        raise UploadDamagedError(
            f"the image has {width} x {height} pixels; a face needs at least "
            f"{LEAST_SIDE} x {LEAST_SIDE}"
        )
    return ImageHeader(str(image.format), width, height)


def _too_many_pixels(found: str = "") -> UploadTooLargeError:
    return UploadTooLargeError(
        f"the image has {found or 'more pixels'} than the {MOST_PIXELS / 1e6:.0f} million "
        "allowed; make it smaller"
    )


def _words(error: Exception) -> str:
    return str(error)[:80] or type(error).__name__
