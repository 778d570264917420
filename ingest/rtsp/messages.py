"""Reads and writes an RTSP connection (RFC 2326): messages, and media packets between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

MOST_HEAD_BYTES: Final = 64 * 1024
MOST_LINE_BYTES: Final = 4096
"""Longest line of a head: twice the longest address of a camera. `Location` may be no longer."""
MOST_LINES: Final = 256
MOST_BODY_BYTES: Final = 1024 * 1024
MARK: Final = ord("$")
_PREFIX_BYTES: Final = 4
MOST_RETURNS: Final = 8
_END_OF_HEAD: Final = re.compile(rb"\n\r{0,8}\n")
# As lenient as FFmpeg: cameras write `200OK`, and name tracks with spaces.
_ANSWER: Final = re.compile(r"RTSP/[\d.]++ ++(\d{3}) *+(.*)")
_METHOD: Final = re.compile(r"[A-Z_]++")
_VERSION: Final = re.compile(r"RTSP/[\d.]++")
_DIGITS: Final = re.compile(r"[0-9]{0,12}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class NotRtspError(ValueError):
    """The received data is not RTSP."""


@dataclass(frozen=True)
class Message:
    """A request or an answer. It is written in our own form, whatever form it was read in."""

    status: int = 0
    """0 for a request."""
    reason: str = ""
    method: str = ""
    uri: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first value of a header; empty if there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def with_headers(self, **values: str) -> Message:
        """Return the message with these headers replaced; empty ones are removed.

        `_` stands for the `-` in a name.
        """
        names = {name.replace("_", "-"): value for name, value in values.items()}
        gone = {name.lower() for name in names}
        kept = [(key, value) for key, value in self.headers if key.lower() not in gone]
        return replace(self, headers=(*((k, v) for k, v in names.items() if v), *kept))

    def encoded(self) -> bytes:
        first = f"RTSP/1.0 {self.status} {self.reason}"
        if not self.status:
            first = f"{self.method} {self.uri} RTSP/1.0"
        own = self.with_headers(Content_Length=str(len(self.body)) if self.body else "")
        lines = [first, *(f"{key}: {value}" for key, value in own.headers)]
        head = "\r\n".join(_CONTROL.sub("", line) for line in lines)
        return head.encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class _Head:
    """The head of a message whose body has not arrived yet."""

    message: Message
    bytes: int
    body_bytes: int


class Splitter:
    """Splits the data of one side into messages and runs of complete media packets.

    Takes linear time even for tiny pieces, because no byte is searched twice.
    """

    def __init__(self) -> None:
        self._left = bytearray()
        self._plays = False
        self._searched = 0
        """Bytes of `_left` that contain no end of a head."""
        self._begins_well = False
        """Whether the message's first line was checked."""
        self._head: _Head | None = None

    def feed(self, data: bytes) -> Iterator[bytes | Message]:
        """Yield complete data: a message, or one or more packets as received.

        Raises:
            NotRtspError: the data is something else. Between media packets it is skipped instead.
        """
        self._left += data
        while self._left:
            taken = self._packets() or self._message()
            if taken is None:
                return
            if taken:
                yield taken

    def _packets(self) -> bytes | None:
        left, end = self._left, 0
        while len(left) >= end + _PREFIX_BYTES and left[end] == MARK:
            size = _PREFIX_BYTES + (left[end + 2] << 8 | left[end + 3])
            if len(left) < end + size:
                break
            end += size
        if not end:
            return None
        self._plays = True
        return self._take(end)

    def _message(self) -> Message | bytes | None:
        """Return the next message; empty if data was skipped; None if more data is needed."""
        left = self._left
        if left[0] == MARK:
            return None
        if left[0] in b"\r\n":
            del left[0]
            return b""
        if self._plays and not _may_begin_message(left):
            del left[: _next_mark(left)]
            return b""
        head = self._head = self._head or self._read_head()
        if head is None or len(left) < head.bytes + head.body_bytes:
            return None
        self._take(head.bytes)
        self._head, self._begins_well = None, False
        return replace(head.message, body=self._take(head.body_bytes))

    def _read_head(self) -> _Head | None:
        left = self._left
        if not self._begins_well:
            end_of_line = left.find(b"\n", self._searched, MOST_LINE_BYTES)
            if end_of_line >= 0:
                _read_first(left[:end_of_line].decode("latin-1").strip())
                self._begins_well = True
            elif len(left) >= MOST_LINE_BYTES:
                raise NotRtspError("a line that is far too long")
        found = _END_OF_HEAD.search(left, self._searched, MOST_HEAD_BYTES)
        if found:
            self._searched = 0
            message, body_bytes = _read_head(left[: found.start()].decode("latin-1"))
            return _Head(message, found.end(), body_bytes)
        if len(left) >= MOST_HEAD_BYTES:
            raise NotRtspError("a message without an end")
        self._searched = max(0, len(left) - MOST_RETURNS - 1)
        return None

    def _take(self, count: int) -> bytes:
        taken = bytes(self._left[:count])
        del self._left[:count]
        return taken


def packet(channel: int, payload: bytes) -> bytes:
    """Return a media packet in the form used between messages."""
    return bytes((MARK, channel)) + len(payload).to_bytes(2, "big") + payload


def packets(run: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield channel and payload of each packet of a run."""
    at = 0
    while at < len(run):
        end = at + _PREFIX_BYTES + int.from_bytes(run[at + 2 : at + 4], "big")
        yield run[at + 1], run[at + _PREFIX_BYTES : end]
        at = end


def _read_head(head: str) -> tuple[Message, int]:
    """Return a message without its body, and the body's length in bytes."""
    written = head.split("\n", MOST_LINES)
    if len(written) > MOST_LINES or max(map(len, written)) > MOST_LINE_BYTES:
        raise NotRtspError("a head that is far too long")
    first, *lines = (_CONTROL.sub("", line.strip()) for line in written)
    message = _read_first(first)
    pairs = (line.partition(":") for line in lines if ":" in line)
    headers = tuple((key.strip(), value.strip()) for key, _, value in pairs)
    message = replace(message, headers=headers)
    digits = _DIGITS.match(message.header("Content-Length"))
    length = int(digits[0]) if digits and digits[0] else 0
    if length > MOST_BODY_BYTES:
        raise NotRtspError("a body that is far too long")
    return message, length


def _read_first(line: str) -> Message:
    if answer := _ANSWER.fullmatch(line):
        return Message(status=int(answer[1]), reason=answer[2])
    method, _, rest = line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if _METHOD.fullmatch(method) and uri.strip(" ") and _VERSION.fullmatch(version):
        return Message(method=method, uri=uri.strip(" "))
    raise NotRtspError("neither a request nor an answer")


def _may_begin_message(left: bytearray) -> bool:
    beginning = bytes(left[:8])
    return b"RTSP/1.0".startswith(beginning) or re.fullmatch(rb"[A-Z_ ]+", beginning) is not None


def _next_mark(left: bytearray) -> int:
    """Return where packets or an answer may continue after invalid data."""
    mark = left.find(b"$", 1)
    end = mark if mark > 0 else len(left)
    answer = left.find(b"RTSP/", 1, end)
    return answer if answer > 0 else end
