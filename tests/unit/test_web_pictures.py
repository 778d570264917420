"""Pictures found in the bytes of a web camera."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from ingest.web.pictures import (
    MOST_BETWEEN_BYTES,
    MOST_PICTURE_BYTES,
    MOST_TEXT_BYTES,
    NoPictureError,
    PictureSplitter,
    hold_pictures,
)
from tests.servers.odd_web import PICTURES

NOISE = np.random.default_rng(3).integers(0, 256, (90, 120, 3)).astype(np.uint8)


def encoded(kind: str, *options: int) -> bytes:
    return cv2.imencode(kind, NOISE, options)[1].tobytes()


JPEG = encoded(".jpg")
PROGRESSIVE = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
RESTARTS = encoded(".jpg", cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
PNG = encoded(".png")
THUMBNAIL = b"\xff\xe1" + (len(PICTURES[0]) + 2).to_bytes(2) + PICTURES[0]
WITH_THUMBNAIL = JPEG[:2] + THUMBNAIL + JPEG[2:]


def split(data: bytes, step: int) -> list[bytes]:
    splitter, found = PictureSplitter(), []
    for at in range(0, len(data), step):
        found += splitter.feed(data[at : at + step])
    return found


@pytest.mark.parametrize("step", [1, 2, 7, 1000, 10**6])
def test_every_picture_comes_whole_whatever_stands_between(step: int) -> None:
    pictures = [JPEG, PROGRESSIVE, RESTARTS, PNG, WITH_THUMBNAIL, PICTURES[0]]
    assert len(set(pictures)) == len(pictures)
    for between in (
        b"",
        b"\r\n--b\r\nContent-Length: 7\r\n\r\n",
        b"\xff\xff\x00\n",
        b"\x89PN\xff",
    ):
        data = between + between.join(pictures) + between
        assert split(data, step) == pictures, between


@pytest.mark.parametrize("picture", [JPEG, PROGRESSIVE, RESTARTS, PNG, WITH_THUMBNAIL])
def test_a_picture_is_told_as_soon_as_its_last_byte_is_there(picture: bytes) -> None:
    splitter = PictureSplitter()
    assert not list(splitter.feed(picture[:-1]))
    assert list(splitter.feed(picture[-1:])) == [picture]


def test_a_picture_that_was_cut_off_ends_where_the_next_one_begins() -> None:
    half = JPEG[: len(JPEG) // 2]
    splitter = PictureSplitter()
    assert list(splitter.feed(half + b"\r\n--b\r\n\r\n" + PICTURES[0])) == [
        half + b"\r\n--b\r\n\r\n",
        PICTURES[0],
    ]
    assert list(splitter.feed(half)) == []
    assert (splitter.rest(), splitter.rest()) == (half, b"")
    assert list(splitter.feed(JPEG)) == [JPEG]


def test_no_damage_stops_the_pictures_after_it() -> None:
    chance = random.Random(5)
    for _ in range(300):
        spoiled = bytearray(chance.choice([JPEG, PROGRESSIVE, PNG]))
        for _ in range(chance.randrange(1, 40)):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        try:
            found = split(bytes(spoiled) + b"\r\n".join([JPEG] * 40), 5000)
        except NoPictureError:
            continue  # a length of gigabytes in a PNG
        assert found[-1] == JPEG


def test_what_has_no_picture_and_a_picture_without_end_are_bounded() -> None:
    with pytest.raises(NoPictureError, match="something else"):
        split(b"no picture " * (MOST_BETWEEN_BYTES // 10), 65536)
    with pytest.raises(NoPictureError, match="32 MiB"):
        split(JPEG[:-2] + b"x" * (MOST_PICTURE_BYTES + 65536), 65536)
    with pytest.raises(NoPictureError, match="damaged"):
        split(PNG[:8] + b"\xff" * 8 + PNG[8:], 65536)
    with pytest.raises(NoPictureError, match="something else"):
        split(b"\r\n".join([PICTURES[0], b"x" * (MOST_BETWEEN_BYTES + 100)]), 65536)


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [
        (JPEG, True),
        (PNG, True),
        (b"\r\n" + JPEG, True),
        (b"--b\r\nContent-Type: image/jpeg\r\n\r\n" + JPEG, True),
        (b"", None),
        (b"--b\r\nContent-Ty", None),
        (b"--b\r\n\r\n\xff", None),
        (b"--b\r\n\r\n\x89PNG", None),
        (b"x" * MOST_TEXT_BYTES, False),
        (b"<!doctype html>", False),
        (b"  <html>" + JPEG, False),
        (b"G@\x00\x10", False),
        (b"\x00\x00\x00\x18ftypmp42" + JPEG, False),
        (b"RIFF\x00\x01\x02\x03AVI LIST" + JPEG, False),
    ],
)
def test_a_page_a_film_and_a_stream_are_no_pictures(
    beginning: bytes, expected: bool | None
) -> None:
    assert hold_pictures(beginning) is expected
