"""What lies in the files that a Redis wrote, and whether any of it is a picture.

Two ways, so that one's blindness is not the other's: every argument of every command in the
append-only files is read where it stands; and a second server loads a copy of the files, which
undoes the forms that they are written in (snapshots with LZF, packed lists), and is read whole.
Each value is unpacked as RQ, JSON and base 64 nest them.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from redis import Redis

from bus.connection.client import connect
from tests.builders import values_in
from tests.servers.redis_process import RedisProcess

MAGIC: Final = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)
DEEPEST: Final = 6
MOST_UNPACKED_BYTES: Final = 64 * 1024 * 1024
_ARGUMENT: Final = re.compile(rb"\$(\d{1,9})\r\n")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{64,}={0,2}\s*")


def pictures_in(data: bytes) -> int:
    """How many pictures begin in `data`: OpenCV must decode them, a magic number may be chance."""
    found = 0
    for match in MAGIC.finditer(data):
        encoded = np.frombuffer(data, np.uint8, offset=match.start())
        try:
            found += cv2.imdecode(encoded, cv2.IMREAD_COLOR) is not None
        except cv2.error:
            continue
    return found


def unpacked(value: bytes, depth: int = 0) -> Iterator[bytes]:
    """A value, and whatever it holds compressed, in base 64 or as JSON."""
    yield value
    if depth < DEEPEST:
        for inner in _inside(value):
            yield from unpacked(inner, depth + 1)


def _inside(value: bytes) -> Iterator[bytes]:
    if value[:1] == b"\x78":
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(value, MOST_UNPACKED_BYTES)
    if _BASE64.fullmatch(value):
        with suppress(binascii.Error):
            yield base64.b64decode(value.strip().translate(bytes.maketrans(b"-_", b"+/")))
    if value[:1] in {b"{", b"[", b'"'}:
        with suppress(ValueError, RecursionError):
            yield from _texts(json.loads(value))


def _texts(record: Any) -> Iterator[bytes]:
    if isinstance(record, str):
        yield record.encode("utf-8", "surrogatepass")
    elif isinstance(record, dict):
        for name, value in record.items():
            yield from _texts([name, value])
    elif isinstance(record, list):
        for value in record:
            yield from _texts(value)


def arguments_in(file: bytes) -> Iterator[bytes]:
    """Every argument of every command in an append-only file; its beginning may be a snapshot."""
    at = 0
    while match := _ARGUMENT.search(file, at):
        length = int(match[1])
        end = match.end() + length
        whole = file[end : end + 2] == b"\r\n"
        if whole:
            yield file[match.end() : end]
        at = end if whole else match.end()


def copy_files(folder: Path, copy: Path) -> None:
    """Copy a Redis' files, without its socket."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.sock"))


@contextmanager
def loaded(folder: Path, append_only: bool, binary: Path | None = None) -> Iterator[Redis]:
    """A second server that has loaded a copy of a folder's append-only file, or its snapshot."""
    with tempfile.TemporaryDirectory(prefix="maskwatch-files-") as other:
        copy = Path(other) / "redis"
        copy_files(folder, copy)
        server = RedisProcess(copy, binary=binary)
        server.start("--appendonly", "yes" if append_only else "no")
        try:
            yield connect(server.url, "benchmark")
        finally:
            server.kill()


def pictures_written(folder: Path, binary: Path | None = None) -> dict[str, int]:
    """How many pictures there are in what a Redis wrote into `folder`, by place.

    `binary`: the redis-server that wrote it, if it is another than `maskwatch run` would start.
    """
    found: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found[f"{path.name}, as it is"] = pictures_in(data)
            if ".aof" in path.name:
                found[f"{path.name}, commands"] = _count(arguments_in(data))
    for append_only in (True, False):
        if append_only or (folder / "dump.rdb").is_file():
            with loaded(folder, append_only, binary) as redis:
                where = "append-only file, loaded" if append_only else "snapshot, loaded"
                found[where] = _count(values_in(redis))
    return found


def _count(values: Iterator[bytes]) -> int:
    return sum(pictures_in(part) for value in values for part in unpacked(value))
