"""Reads the entries for video in HLS playlists (RFC 8216), and ignores all others.

Reads each line once, because a playlist may come from an attacker in the camera's place. The
libraries tried take quadratic time (docs/adr/0022).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from ingest.web.client import ByteRange

MOST_BYTES: Final = 2**20
"""Largest playlist: about 15,000 segments, or eight hours in segments of two seconds."""
MOST_LINE_CHARS: Final = 8192
BEGINNING: Final = b"#EXTM3U"
_ATTRIBUTE: Final = re.compile(r'([^=,"]*)=(?:"([^"]*)"|([^,"]*))[^,]*,?')
_NUMBER: Final = re.compile(r"\d{1,15}(?:\.\d{0,9})?")
_HEX: Final = re.compile(r"0[xX]([0-9a-fA-F]{1,32})")
_DEFAULT_TARGET_S: Final = 6.0


@dataclass(frozen=True)
class Key:
    """How segments are encrypted. iv: 16 bytes; None to take the segment's number."""

    method: str
    uri: str
    iv: bytes | None


@dataclass(frozen=True)
class Part:
    """A file, or bytes of one. `uri`: as written in the playlist."""

    uri: str
    wanted: ByteRange | None = None
    key: Key | None = None


@dataclass(frozen=True)
class Segment:
    """Some seconds of video. header: initialisation data that must precede the first segment."""

    number: int
    part: Part
    header: Part | None


@dataclass(frozen=True)
class Variant:
    """The stream at one size. bits_s: bits per second; width: 0 if unknown."""

    uri: str
    width: int
    bits_s: int


@dataclass(frozen=True)
class Playlist:
    """The content of a playlist: variants or segments."""

    variants: tuple[Variant, ...]
    segments: tuple[Segment, ...]
    target_s: float
    """Longest segment, in seconds."""
    ended: bool
    """Whether no further segment will follow, as in a recording."""


def parse_playlist(body: bytes) -> Playlist:
    """Read a playlist; ignore unknown and malformed lines.

    Raises:
        ValueError: it is not a playlist, or has a line that is too long.
    """
    if not body.removeprefix(b"\xef\xbb\xbf").startswith(BEGINNING):
        raise ValueError("no playlist")
    reading = _Reading()
    for line in body.decode(errors="replace").split("\n"):
        if len(line) > MOST_LINE_CHARS:
            raise ValueError("a line of a playlist is too long")
        reading.take(line.strip())
    variants, segments = tuple(reading.variants), tuple(reading.segments)
    return Playlist(variants, segments, reading.target_s, reading.ended)


@dataclass
class _Reading:
    """The entries read so far, and the tags for the next address."""

    variants: list[Variant] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    target_s: float = _DEFAULT_TARGET_S
    ended: bool = False
    number: int = 0
    _next: str = ""
    _variant: dict[str, str] = field(default_factory=dict)
    _key: Key | None = None
    _header: Part | None = None
    _range: str = ""
    _after: tuple[str, int] = ("", 0)

    def take(self, line: str) -> None:
        """Read one line."""
        if not line.startswith("#"):
            self._address(line)
            return
        tag, _, value = line.partition(":")
        if tag == "#EXTINF":
            self._next = "segment"
        elif tag == "#EXT-X-STREAM-INF":
            self._next, self._variant = "variant", _attributes(value)
        elif tag == "#EXT-X-KEY":
            self._key = _key(_attributes(value))
        elif tag == "#EXT-X-MAP":
            said = _attributes(value)
            uri, wanted = said.get("URI", ""), said.get("BYTERANGE", "")
            self._header = Part(uri, _range(wanted, 0), self._key) if uri else None
        elif tag == "#EXT-X-BYTERANGE":
            self._range = value
        elif tag == "#EXT-X-TARGETDURATION":
            self.target_s = _number(value) or _DEFAULT_TARGET_S
        elif tag == "#EXT-X-MEDIA-SEQUENCE":
            self.number = int(_number(value))
        elif tag == "#EXT-X-ENDLIST":
            self.ended = True

    def _address(self, uri: str) -> None:
        if uri and self._next == "segment":
            self._segment(uri)
        elif uri and self._next == "variant":
            said = self._variant
            width = int(_number(said.get("RESOLUTION", "").partition("x")[0]))
            self.variants.append(Variant(uri, width, int(_number(said.get("BANDWIDTH", "")))))
        if uri:
            self._next = ""

    def _segment(self, uri: str) -> None:
        # A range without a start follows the last range of the same file.
        wanted = _range(self._range, self._after[1] if self._after[0] == uri else 0)
        if wanted and wanted.length is not None:
            self._after = (uri, wanted.start + wanted.length)
        self._range = ""
        part = Part(uri, wanted, self._key)
        self.segments.append(Segment(self.number, part, self._header))
        self.number += 1


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag; the last value of a repeated one."""
    found: dict[str, str] = {}
    at = 0
    while one := _ATTRIBUTE.match(text, at):
        found[one[1].strip()] = one[2] if one[2] is not None else one[3].strip()
        at = one.end()
    return found


def _key(said: dict[str, str]) -> Key | None:
    method = said.get("METHOD", "NONE")
    if method == "NONE":
        return None
    iv = _HEX.fullmatch(said.get("IV", ""))
    return Key(method, said.get("URI", ""), bytes.fromhex(iv[1].zfill(32)) if iv else None)


def _range(text: str, start: int) -> ByteRange | None:
    """Parse `length[@start]`; the default start is `start`."""
    length, at, told = text.strip().partition("@")
    if not int(_number(length)):
        return None
    return ByteRange(int(_number(told)) if at else start, int(_number(length)))


def _number(text: str) -> float:
    """Parse a number with at most 15 digits before its point; return 0 for anything else."""
    found = _NUMBER.fullmatch(text.strip())
    return float(found[0]) if found else 0.0
