"""What goes through an RTSP connection (RFC 2326): messages, and media packets between them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

MOST_HEAD_BYTES: Final = 64 * 1024
MOST_BODY_BYTES: Final = 1024 * 1024
MARK: Final = ord("$")
_PREFIX_BYTES: Final = 4
_END_OF_HEAD: Final = re.compile(rb"\n\r*\n")
# As lenient as FFmpeg: cameras write `200OK`, and name tracks with spaces.
_ANSWER: Final = re.compile(r"RTSP/[\d.]+ +(\d{3}) *(.*)")
_REQUEST: Final = re.compile(r"([A-Z_]+) +(.+?) +RTSP/[\d.]+")
_DIGITS: Final = re.compile(r"[0-9]{0,12}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class NotRtspError(ValueError):
    """What came is no RTSP."""


@dataclass(frozen=True)
class Message:
    """A request or an answer. What it is written as is ours, whatever form it was read in."""

    status: int = 0
    """0 for a request."""
    reason: str = ""
    method: str = ""
    uri: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first value of a header; empty when there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def with_headers(self, **values: str) -> Message:
        """The message with these headers instead of its own; those that are empty are left out.

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


class Splitter:
    """Splits what one side sends into messages and runs of whole media packets."""

    def __init__(self) -> None:
        self._left = bytearray()
        self._plays = False

    def feed(self, data: bytes) -> Iterator[bytes | Message]:
        """Yield what is complete by now: a message, or one or more packets as they came.

        Raises:
            NotRtspError: it is something else. Between media packets that is passed over.
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
        """The next message; empty when something was passed over; None when more must come."""
        left = self._left
        if left[0] == MARK:
            return None
        if left[0] in b"\r\n":
            del left[0]
            return b""
        if self._plays and not _may_begin_message(left):
            del left[: _next_mark(left)]
            return b""
        end = _END_OF_HEAD.search(left)
        if end is None:
            _check_beginning(left)
            return None
        message, length = _read_head(left[: end.start()].decode("latin-1"))
        if len(left) < end.end() + length:
            return None
        self._take(end.end())
        return replace(message, body=self._take(length))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._left[:count])
        del self._left[:count]
        return taken


def packet(channel: int, payload: bytes) -> bytes:
    """A media packet as it goes between messages."""
    return bytes((MARK, channel)) + len(payload).to_bytes(2, "big") + payload


def packets(run: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield channel and payload of each packet of a run."""
    at = 0
    while at < len(run):
        end = at + _PREFIX_BYTES + int.from_bytes(run[at + 2 : at + 4], "big")
        yield run[at + 1], run[at + _PREFIX_BYTES : end]
        at = end


def _check_beginning(left: bytearray) -> None:
    """Raise NotRtspError once it is plain that this will be no message."""
    if len(left) > MOST_HEAD_BYTES:
        raise NotRtspError("a message without an end")
    line, ends, _ = left.partition(b"\n")
    if ends:
        _read_first(line.decode("latin-1").strip())


def _read_head(head: str) -> tuple[Message, int]:
    """Return a message without its body, and how many bytes that has."""
    first, *lines = (_CONTROL.sub("", line.strip()) for line in head.split("\n"))
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
    if request := _REQUEST.fullmatch(line):
        return Message(method=request[1], uri=request[2])
    raise NotRtspError("neither a request nor an answer")


def _may_begin_message(left: bytearray) -> bool:
    beginning = bytes(left[:8])
    return b"RTSP/1.0".startswith(beginning) or re.fullmatch(rb"[A-Z_ ]+", beginning) is not None


def _next_mark(left: bytearray) -> int:
    """Where packets or an answer may go on after something that is neither."""
    found = [at for at in (left.find(b"$", 1), left.find(b"RTSP/", 1)) if at > 0]
    return min(found, default=len(left))
