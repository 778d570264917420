"""Image files are judged by their content, before anything is decoded."""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from contract.errors import (
    UploadDamagedError,
    UploadEmptyError,
    UploadError,
    UploadTooLargeError,
    UploadTypeError,
)
from runtime.image_files import MOST_BYTES, decode_image, read_header
from tests.builders import jpeg


def encoded(form: str, width: int = 64, height: int = 48, **options: object) -> bytes:
    """An image that is red on the left and blue on the right."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[:, : width // 2, 0] = rgb[:, width // 2 :, 2] = 255
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, form, **options)
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """A small PNG whose header claims any size."""
    whole = encoded("PNG")
    header = b"IHDR" + struct.pack(">II", width, height) + whole[24:29]
    return whole[:12] + header + struct.pack(">I", zlib.crc32(header)) + whole[33:]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_each_kind_is_read_and_decoded_to_bgr(form: str) -> None:
    data = encoded(form)
    header = read_header(data)
    assert (header.format, header.width, header.height) == (form, 64, 48)
    image = decode_image(data)
    assert (image.shape, image.dtype) == ((48, 64, 3), np.uint8)
    assert image[24, 10].argmax() == 2, "red is last"
    assert image[24, 54].argmax() == 0, "blue is first"


def test_a_photograph_held_sideways_comes_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise is needed
    image = decode_image(encoded("JPEG", exif=exif))
    assert image.shape == (64, 48, 3)
    assert image[10, 24].argmax() == 2, "what was left is up"


def test_sixteen_bits_of_grey_keep_their_light() -> None:
    out = io.BytesIO()
    ramp = np.linspace(0, 65535, 64, dtype=np.uint16)
    Image.fromarray(np.tile(ramp, (48, 1))).save(out, "PNG")
    row = decode_image(out.getvalue())[0, :, 0].astype(int)
    assert (row[0], row[-1]) == (0, 255)
    assert 120 <= row[32] <= 135


def test_transparency_and_greys_are_no_obstacle() -> None:
    out = io.BytesIO()
    Image.new("LA", (32, 32), (200, 128)).save(out, "PNG")
    assert decode_image(out.getvalue()).shape == (32, 32, 3)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UploadEmptyError),
        (b"GIF89a" + bytes(100), UploadTypeError),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UploadTypeError),
        (b"PK\x03\x04" + bytes(100), UploadTypeError),
        (b"\xff\xd8\xff" + bytes(100), UploadDamagedError),
        (jpeg()[:40], UploadDamagedError),
        (png_that_claims(100_000, 100_000), UploadTooLargeError),
        (png_that_claims(0, 10), UploadDamagedError),
        (png_that_claims(2**31 - 1, 2**31 - 1), UploadTooLargeError),
        (encoded("PNG", 4, 4), UploadDamagedError),
        (jpeg() + bytes(MOST_BYTES), UploadTooLargeError),
    ],
)
def test_what_cannot_be_used_is_told_from_its_first_bytes(
    data: bytes, error: type[UploadError]
) -> None:
    for judge in (read_header, decode_image):
        with pytest.raises(error) as caught:
            judge(data)
        assert len(str(caught.value)) > 30


def test_a_picture_that_ends_early_is_found_when_it_is_decoded() -> None:
    for data in (encoded("JPEG", 640, 480), encoded("PNG", 640, 480), encoded("WEBP", 640, 480)):
        with pytest.raises(UploadDamagedError, match="cut off or damaged"):
            decode_image(data[: len(data) // 2])


def test_the_library_that_draws_agrees_with_the_one_that_reads() -> None:
    data = encoded("JPEG", 640, 480)
    theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(theirs.astype(int) - decode_image(data)).mean() < 2
