"""The bytes of a web camera, as a file that FFmpeg reads. FFmpeg opens nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final, Protocol
from urllib.parse import urlsplit

from contract.cameras.probes import Medium
from ingest.captured import always
from ingest.reach.address import Address
from ingest.web.client import CHUNK_BYTES, Answer, ByteRange, WebClient
from ingest.web.hls import HlsBody, is_playlist
from ingest.web.motion import FORMAT, MotionBody
from ingest.web.pictures import hold_pictures

MULTIPART: Final = "multipart/"
_TOLD_BY: Final = 10
"""Number of bytes that identify a playlist or an MP4."""
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,8}")


class Body(Protocol):
    """Bytes that come one after another."""

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most `most`; empty at the end."""

    def close(self) -> None:
        """Hang up."""


class WebStream:
    """The data of a web address: a stream, a film, or the segments of a playlist.

    `failure`: the reason for its end, which FFmpeg may take for a normal end.
    """

    def __init__(self, client: WebClient, address: Address) -> None:
        self._client = client
        self._address = address
        self._body: Body | None = None
        self._motion: MotionBody | None = None
        self._begun = b""
        self._at = 0
        self._length: int | None = None
        self.failure: Exception | None = None
        self.segmented = False
        """Whether the data is a playlist's segments, which arrive faster than real time."""
        self.format: str | None = None
        """FFmpeg's name of the format, if it is known."""
        self.may_want: Callable[[float], bool] = always
        """Returns False for a time (steady seconds) at which no picture is needed."""
        # FFmpeg also guesses from a name's ending. Give it no more, because errors repeat the name.
        suffix = PurePosixPath(urlsplit(address.url).path).suffix
        self.name = f"camera{suffix}" if _SUFFIX.fullmatch(suffix) else "camera"

    def open(self) -> None:
        """Request the address; return when its kind is known.

        Raises:
            SourceError, OSError: it cannot be had.
        """
        answer = self._client.get(self._address)
        self._body = answer
        multipart = answer.header("Content-Type").lower().strip().startswith(MULTIPART)
        if not multipart:
            self._begun = _beginning(answer)
        if multipart or hold_pictures(self._begun):
            self._motion = self._body = MotionBody(
                self._client, self._address, answer, self._begun, lambda s: self.may_want(s)
            )
            self._begun, self.format = b"", FORMAT
            self._motion.open(multipart)
        elif is_playlist(self._begun):
            self._body = HlsBody(self._client, self._address, answer, self._begun)
            self._begun, self.segmented, self.name = b"", True, "camera"
            self._body.open()
        elif answer.length is not None and (_in_parts(answer) or _is_mp4(self._begun)):
            self._length = answer.length + len(self._begun)

    @property
    def medium(self) -> Medium:
        """What the camera sends."""
        if self._motion:
            return "snapshots" if self._motion.polled else "mjpeg"
        return "hls" if self.segmented else "stream"

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most `most`; empty at the end."""
        try:
            data = self._begun or self._there().read(most)
        except Exception as error:
            self.failure = error
            raise
        # Never return more than requested: FFmpeg has no room for it.
        data, self._begun = data[:most], data[most:]
        self._at += len(data)
        return data

    def seekable(self) -> bool:
        """Whether seeking is possible: films with their index at the end need it."""
        return self._length is not None

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek. The next read sends the request."""
        base = (0, self._at, self._length or 0)[whence]
        if base + offset != self._at:
            self.close()
            self._begun, self._at = b"", base + offset
        return self._at

    def close(self) -> None:
        """Hang up."""
        if self._body:
            self._body.close()
            self._body = None

    def _there(self) -> Body:
        """Return the current answer, or a new one after a seek."""
        if self._body is None:
            self._body = self._part()
        return self._body

    def _part(self) -> Answer:
        answer = self._client.get(self._address, ByteRange(self._at).headers)
        skipped = self._at if answer.status == 200 else 0
        while skipped and (data := answer.read(min(skipped, CHUNK_BYTES))):
            skipped -= len(data)
        return answer


def _beginning(answer: Answer) -> bytes:
    """Return the first bytes of an answer, as many as tell what it is."""
    begun = b""
    while (len(begun) < _TOLD_BY or (hold_pictures(begun) is None and not is_playlist(begun))) and (
        data := answer.read(CHUNK_BYTES)
    ):
        begun += data
    return begun


def _in_parts(answer: Answer) -> bool:
    return answer.header("Accept-Ranges").lower() == "bytes"


def _is_mp4(beginning: bytes) -> bool:
    return beginning[4:8] == b"ftyp"
