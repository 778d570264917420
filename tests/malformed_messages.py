"""Messages in Redis as a broken version, a broken disk or somebody hostile might leave them."""

from __future__ import annotations

import copy
import io
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image

Fields = dict[bytes, bytes]

NO_NUMBERS = [
    b"",
    b"NaN",
    b"nan",
    b"inf",
    b"-inf",
    b"-1",
    b"1e999",
    b"1_0",
    b"0x10",
    b"9" * 400,
    b"9" * 5000,
    b"99999999999999999999",
    b" 1",
    b"1\x00",
    b"\xff\xfe",
    "\u0663".encode(),  # a digit, but not one of ours
    b"[]",
    b"None",
]
JUNK: list[Any] = [
    None,
    True,
    "x",
    "",
    "\u0000\ud7ff",
    -1,
    -1.5,
    0,
    1e308,
    -1e308,
    2**70,
    10**400,
    float("nan"),
    float("inf"),
    [],
    {},
    [[]],
    "x" * 10_000,
    list(range(500)),
]


def png_bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A small PNG that says it has billions of pixels."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def jpeg_bomb(jpeg: bytes, width: int = 65_535, height: int = 65_535) -> bytes:
    """A JPEG whose header asks for gigabytes."""
    at = next(
        at for at in range(len(jpeg) - 1) if jpeg[at] == 0xFF and jpeg[at + 1] in (0xC0, 0xC2)
    )
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return jpeg[: at + 5] + size + jpeg[at + 9 :]


def mutated_frame(fields: Fields, rng: random.Random) -> tuple[str, Fields]:
    """A frame's entry with something wrong with it, and what."""
    what = rng.choice(list(_FRAME_MUTATIONS))
    changed = dict(fields)
    _FRAME_MUTATIONS[what](changed, rng)
    return what, changed or {b"x": b""}


def mutated_record(raw: bytes, rng: random.Random) -> tuple[str, bytes]:
    """A JSON record with something wrong with it, and what."""
    what = rng.choice(list(_RECORD_MUTATIONS))
    return what, _RECORD_MUTATIONS[what](raw, rng)


def _flip(data: bytes, rng: random.Random, most: int = 8) -> bytes:
    flipped = bytearray(data)
    for _ in range(rng.randint(1, most)):
        flipped[rng.randrange(len(flipped))] = rng.randrange(256)
    return bytes(flipped)


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _number(name: bytes) -> Callable[[Fields, random.Random], None]:
    return lambda fields, rng: fields.update({name: rng.choice(NO_NUMBERS)})


def _jpeg(make: Callable[[bytes, random.Random], bytes]) -> Callable[[Fields, random.Random], None]:
    return lambda fields, rng: fields.update({b"jpeg": make(fields[b"jpeg"], rng)})


def _shifted_time(fields: Fields, rng: random.Random) -> None:
    shift_s = rng.choice([-1e9, -3600, -5, 5, 3600, 1e9, 2e9])
    fields[b"at"] = repr(float(fields[b"at"]) + shift_s).encode()


def _shifted_sequence(fields: Fields, rng: random.Random) -> None:
    shifted = int(fields[b"seq"]) + rng.choice([-5, -1, 1, 2, 1000, 10**9, 2**52])
    fields[b"seq"] = str(max(0, shifted)).encode()


_FRAME_MUTATIONS: dict[str, Callable[[Fields, random.Random], None]] = {
    "no such field": lambda fields, rng: fields.pop(rng.choice(list(fields))) and None,
    "an empty field": lambda fields, rng: fields.update({rng.choice(list(fields)): b""}),
    "a field too many": lambda fields, rng: fields.update({rng.randbytes(4): rng.randbytes(9)}),
    "another version": lambda fields, rng: fields.update(
        {b"v": rng.choice([b"0", b"1", b"99", b"1.0", b" 1", b"\xff", b"1" * 9000])}
    ),
    "no number": _number(b"seq"),
    "no index": _number(b"index"),
    "no time": _number(b"at"),
    "another time": _shifted_time,
    "another number": _shifted_sequence,
    "a truncated JPEG": _jpeg(_cut),
    "a flipped JPEG": _jpeg(_flip),
    "a flipped header": _jpeg(lambda jpeg, rng: _flip(jpeg[:300], rng, 3) + jpeg[300:]),
    "noise for a JPEG": _jpeg(lambda jpeg, rng: rng.randbytes(rng.randint(1, 4000))),
    "a JPEG bomb": _jpeg(lambda jpeg, rng: jpeg_bomb(jpeg)),
    "a flat JPEG": _jpeg(lambda jpeg, rng: jpeg_bomb(jpeg, 1, 1)),
    "a PNG bomb": _jpeg(lambda jpeg, rng: png_bomb()),
    "a zip bomb": _jpeg(lambda jpeg, rng: zlib.compress(bytes(2_000_000), 9)),
    "a text": _jpeg(lambda jpeg, rng: b"<svg/onload=alert(1)>"),
    "noise": lambda fields, rng: fields.update({name: rng.randbytes(9) for name in fields}),
}


def broken_seal(fields: Fields, rng: random.Random) -> Fields:
    """A frame whose sealed picture is damaged, not sealed, or names no key."""
    sealed = fields[b"jpeg"]
    broken = [_flip(sealed, rng), _cut(sealed, rng), b"\xff\xd8" + sealed, sealed[:1] * len(sealed)]
    return {**fields, b"jpeg": rng.choice(broken)}


def huge_frame(fields: Fields) -> Fields:
    """A frame larger than any may be; apart, since each takes its time."""
    return {**fields, b"jpeg": fields[b"jpeg"] + bytes(17 * 1024 * 1024)}


def _replaced(raw: bytes, rng: random.Random) -> bytes:
    """The record with one value, somewhere in it, replaced by what is no such value."""
    record = copy.deepcopy(json.loads(raw))
    places: list[tuple[Any, Any]] = []
    _places(record, places)
    if not places:
        return b"[]"
    where, key = rng.choice(places)
    where[key] = rng.choice(JUNK)
    return json.dumps(record).encode("utf-8", "surrogatepass")


def _removed(raw: bytes, rng: random.Random) -> bytes:
    record = json.loads(raw)
    places: list[tuple[Any, Any]] = []
    _places(record, places)
    if places:
        where, key = rng.choice(places)
        del where[key]
    return json.dumps(record).encode()


def _other_version(raw: bytes, rng: random.Random) -> bytes:
    record = json.loads(raw)
    if not isinstance(record, dict):
        return b"{}"
    return json.dumps({**record, "v": rng.choice([0, 99, "1", None, True, [], 1e999])}).encode()


def _places(node: Any, found: list[tuple[Any, Any]]) -> None:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in pairs:
        found.append((node, key))
        if isinstance(child, dict | list):
            _places(child, found)


_RECORD_MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "another value": _replaced,
    "another value, again": lambda raw, rng: _replaced(_replaced(raw, rng), rng),
    "a value less": _removed,
    "another version": _other_version,
    "truncated": _cut,
    "flipped": _flip,
    "noise": lambda raw, rng: rng.randbytes(rng.randint(1, 400)),
    "empty": lambda raw, rng: b"",
    "nested without end": lambda raw, rng: b'{"v":1,"a":' * 20_000,
    "a list": lambda raw, rng: b"[1,2,3]",
    "a word": lambda raw, rng: rng.choice(
        [b"null", b"NaN", b"1e999", b'"x"', b"true", b"9" * 6000]
    ),
    "compressed": lambda raw, rng: zlib.compress(raw),
    "a pickle": lambda raw, rng: b"cos\nsystem\n(S'touch /tmp/pickled'\ntR.",
    "huge": lambda raw, rng: raw[:-1] + b',"x":"' + b"x" * (5 * 1024 * 1024) + b'"}',
}
