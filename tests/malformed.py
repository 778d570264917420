"""Uploads that are wrong in every way we could think of, the same for the same number."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

BOUNDARY = "maskwatch-malformed-upload"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


@dataclass(frozen=True)
class Malformed:
    """One request's body and what is wrong with it."""

    what: str
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


def malformed_uploads(count: int) -> list[Malformed]:
    """`count` uploads, the kinds in turn."""
    kinds = list(KINDS.items())
    made = []
    for number in range(count):
        what, make = kinds[number % len(kinds)]
        one = make(random.Random(number))
        made.append(one if isinstance(one, Malformed) else form(what, one))
    return made


def form(what: str, *files: bytes, field: str = "image", name: str = "photo.jpg") -> Malformed:
    """A well-formed form around files that are not."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    parts = b"".join(head + data + b"\r\n" for data in files)
    return Malformed(what, MULTIPART, parts + f"--{BOUNDARY}--\r\n".encode())


def image(kind: str, chance: random.Random, width: int = 320, height: int = 240) -> bytes:
    """A whole image with enough in it to be cut."""
    noise = np.random.default_rng(chance.randrange(10**6)).integers(0, 255, (9, 12, 3), np.uint8)
    return bytes(cv2.imencode(kind, cv2.resize(noise, (width, height)))[1])


def cut(kind: str) -> Callable[[random.Random], bytes]:
    def make(chance: random.Random) -> bytes:
        whole = image(kind, chance)
        return whole[: chance.randint(4, len(whole) * 8 // 10)]

    return make


def garbled(kind: str) -> Callable[[random.Random], bytes]:
    """The right first bytes, then noise."""
    return lambda chance: image(kind, chance)[:12] + chance.randbytes(chance.randint(50, 5000))


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def huge_png(chance: random.Random) -> bytes:
    side = chance.choice([8_000, 50_000, 2**20, 2**31 - 1])
    return png(side, side, chunk(b"IDAT", zlib.compress(bytes(10_000_000))))


def huge_jpeg(chance: random.Random) -> bytes:
    whole = bytearray(image(".jpg", chance))
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", chance.randint(20_000, 65_535), 65_500)
    return bytes(whole)


def huge_webp(_: random.Random) -> bytes:
    """An extended WebP whose canvas is 16384 x 16384."""
    canvas = struct.pack("<I", 0) + (16_383).to_bytes(3, "little") * 2
    chunks = b"VP8X" + struct.pack("<I", len(canvas)) + canvas
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def profile_bomb(_: random.Random) -> bytes:
    """A PNG of few pixels and none of their data, with a colour profile that inflates to 50 MB."""
    profile = b"x\0\0" + zlib.compress(bytes(50_000_000), 9)
    return png(64, 64, chunk(b"iCCP", profile), chunk(b"IDAT", zlib.compress(b"")))


def zip_bomb(_: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", bytes(50_000_000))
    return out.getvalue()


def packed_body(chance: random.Random) -> Malformed:
    body = gzip.compress(form("", bytes(50_000_000)).body)
    return Malformed("a compressed body", MULTIPART, body, (("Content-Encoding", "gzip"),))


def broken_form(chance: random.Random) -> Malformed:
    whole = form("", image(".jpg", chance)).body
    ways = [
        Malformed("a form that ends early", MULTIPART, whole[: chance.randint(1, len(whole) // 2)]),
        Malformed("a form without its boundary", "multipart/form-data", whole),
        Malformed("another boundary", "multipart/form-data; boundary=other", whole),
        Malformed("noise for a form", MULTIPART, chance.randbytes(5000)),
        Malformed("a head without an end", MULTIPART, whole[:40] + b"a" * 100_000),
    ]
    return chance.choice(ways)


def no_form(chance: random.Random) -> Malformed:
    types = ["application/json", "text/plain", "image/jpeg", "application/octet-stream", ""]
    return Malformed("no form", chance.choice(types), image(".jpg", chance))


KINDS: dict[str, Callable[[random.Random], bytes | Malformed]] = {
    "a JPEG cut off": cut(".jpg"),
    "a PNG cut off": cut(".png"),
    "a WebP cut off": cut(".webp"),
    "a JPEG of noise": garbled(".jpg"),
    "a PNG of noise": garbled(".png"),
    "a huge PNG": huge_png,
    "a huge JPEG": huge_jpeg,
    "a huge WebP": huge_webp,
    "text": lambda chance: b"this is no picture " * chance.randint(1, 500),
    "a web page": lambda _: b"<!doctype html><img src=x onerror=alert(1)>",
    "an SVG": lambda _: b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    "a GIF": lambda chance: b"GIF89a" + chance.randbytes(500),
    "a BMP": lambda chance: image(".bmp", chance, 32, 32),
    "a program": lambda chance: b"\x7fELF" + chance.randbytes(2000),
    "a video": lambda chance: b"\0\0\0\x20ftypisom" + chance.randbytes(2000),
    "a zip bomb": zip_bomb,
    "a PNG with a profile that is a bomb": profile_bomb,
    "a compressed body": packed_body,
    "an empty file": lambda _: b"",
    "no file": lambda _: Malformed("no file", MULTIPART, f"--{BOUNDARY}--\r\n".encode()),
    "an empty body": lambda _: Malformed("an empty body", MULTIPART, b""),
    "another part": lambda chance: form("another part", image(".jpg", chance), field="picture"),
    "too many images": lambda chance: form("too many", *[image(".jpg", chance, 32, 32)] * 9),
    "very many parts": lambda chance: form("very many", *[b"x"] * chance.randint(20, 2000)),
    "a file too large": lambda chance: image(".jpg", chance) + bytes(11 << 20),
    "a body too large": lambda _: form("a body too large", bytes(25 << 20)),
    "a broken form": broken_form,
    "no form": no_form,
}
