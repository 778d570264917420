"""Requests a camera's stream from web addresses. Each connection goes to a checked address.

FFmpeg makes no connections itself: this module follows redirects and requests the addresses in
playlists. A name is resolved once, so the connection goes to a checked address.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from typing import Final
from urllib.parse import quote, urlsplit

from contract.errors import SourceError, SourceForbiddenError
from ingest.reach.address import Address
from ingest.reach.connecting import connect, secured
from ingest.reach.errors import (
    MOST_REDIRECTS,
    answered_with,
    behind_redirect,
    explain_opening,
    hung_up,
    leads_nowhere,
    no_video,
    redirected,
)
from ingest.reach.login import Login
from ingest.reach.reach import Reach

CHUNK_BYTES: Final = 64 * 1024
MOST_ADDRESS_CHARS: Final = 4096
"""Longest address in a redirect or a playlist; signed addresses of a thousand characters are
common."""
Headers = Mapping[str, str]
NO_HEADERS: Final[Headers] = {}
_REDIRECTS: Final = {301, 302, 303, 307, 308}
_KEPT_IN_PATHS: Final = "%/:=&?~+!$,;'@()*[]"


class Deadline:
    """The time by which the camera must have sent the awaited data."""

    def __init__(self, limit_s: float) -> None:
        self.extend(limit_s)

    def extend(self, limit_s: float) -> None:
        """Wait for `limit_s` seconds from now."""
        self.limit_s = limit_s
        self._ends_s = time.monotonic() + limit_s

    def ends_within(self, seconds: float) -> bool:
        """Whether this time is over in so many seconds."""
        return self._ends_s - time.monotonic() <= seconds

    def left_s(self) -> float:
        """Return the remaining seconds; raise TimeoutError if there are none."""
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("timed out")
        return left_s


@dataclass(frozen=True)
class ByteRange:
    """A range of bytes of a file. length: None for all following bytes."""

    start: int
    length: int | None = None

    @property
    def headers(self) -> Headers:
        """The header that asks for it."""
        end = "" if self.length is None else str(self.start + self.length - 1)
        return {"Range": f"bytes={self.start}-{end}"}


class _TimedSocket(io.RawIOBase):
    """A connection as `http.client` uses it, on which no wait outlasts the deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(self._deadline.left_s())
        return self._connection.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(self._deadline.left_s())
        self._connection.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode  # `http.client` uses "rb" only
        return io.BufferedReader(self, CHUNK_BYTES)

    def close(self) -> None:
        """`http.client` closes before it reads; the `Answer` closes the connection."""


class Answer:
    """A server's answer. `address`: its source after all redirects."""

    def __init__(self, address: Address, connection: socket.socket, got: HTTPResponse) -> None:
        self.address = address
        self.status = got.status
        self.sized = bool(got.chunked) or got.length is not None
        """Whether the end of the body is known without waiting for the end of the connection."""
        self._connection = connection
        self._got = got

    def header(self, name: str) -> str:
        """Return a header's value; empty if it is missing."""
        return self._got.headers.get(name) or ""

    def challenges(self) -> list[str]:
        """Return the offered ways to sign in."""
        return self._got.headers.get_all("WWW-Authenticate") or []

    @property
    def length(self) -> int | None:
        """Return the number of remaining bytes, if it is known."""
        return self._got.length

    @property
    def reusable(self) -> socket.socket | None:
        """Return the connection if another request may follow on it."""
        ended = self._got.length == 0 or self._got.isclosed()
        return self._connection if ended and not self._got.will_close else None

    def read(self, most: int) -> bytes:
        """Return the next bytes, at most `most`, as soon as there are any; empty at the end.

        Raises:
            OSError: the connection broke, or nothing came before the deadline.
        """
        try:
            return self._got.read1(most)
        except HTTPException:
            return b""  # cut off between two chunks

    def read_all(self, most: int) -> bytes | None:
        """Return the whole body; None if it has more than `most` bytes."""
        body = bytearray()
        while data := self.read(CHUNK_BYTES):
            body += data
            if len(body) > most:
                return None
        return bytes(body)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True)
class _Kept:
    """A connection on which the next request to the same host may be sent."""

    host: str
    port: int
    encrypted: bool
    connection: socket.socket


class WebClient:
    """Requests a camera's address within a deadline."""

    def __init__(self, camera: Address, reach: Reach, deadline: Deadline) -> None:
        self._camera = camera
        self._reach = reach
        self._logins: dict[tuple[str, tuple[tuple[str, str], ...]], Login] = {}
        self._kept: _Kept | None = None
        self.deadline = deadline

    def follow(self, here: Address, named: str) -> Address:
        """Return the address that a redirect or a playlist at `here` names.

        User and password are kept for the same host only, and never from TLS to plain text.

        Raises:
            SourceForbiddenError: it is not a web address.
        """
        try:
            moved = here.moved_to(named) if 0 < len(named) <= MOST_ADDRESS_CHARS else here
        except ValueError:
            raise leads_nowhere(self._camera, "web") from None
        if moved is here:
            raise leads_nowhere(self._camera, "web")
        if moved.kind != "http":
            raise SourceForbiddenError(
                f"{self._camera.shown} leads to an address other than http:// or https://; "
                "Maskwatch opens no other address for a camera"
            )
        return moved

    def get(self, address: Address, headers: Headers = NO_HEADERS, keeps: bool = False) -> Answer:
        """Request an address and its redirects, each checked like the camera's own address.

        `keeps`: the next request may use the same connection (`done_with`).

        Raises:
            SourceError: in words for an operator.
        """
        here, headers = address, {"Connection": "keep-alive" if keeps else "close", **headers}
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._answered(here, headers)
            if answer.status not in _REDIRECTS:
                return answer
            location = answer.header("Location")
            answer.close()
            here = self.follow(here, location)
        raise redirected(self._camera)

    def done_with(self, answer: Answer) -> None:
        """Keep the connection of an answer that was read to its end for the next request."""
        self.close()
        if connection := answer.reusable:
            here = answer.address
            self._kept = _Kept(here.host, here.port, here.encrypted, connection)
        else:
            answer.close()

    def close(self) -> None:
        """Close the connection that was kept for the next request."""
        if self._kept:
            self._kept.connection.close()
            self._kept = None

    def _answered(self, here: Address, headers: Headers) -> Answer:
        try:
            return self._asked(here, headers)
        except (SourceError, HTTPException, OSError, ValueError) as error:
            explained = self._explained(error, here)
        if here is not self._camera:
            explained = behind_redirect(explained, self._camera, here)
        # Not chained: what http.client raises may hold the address with its password.
        raise explained

    def _explained(self, error: Exception, here: Address) -> SourceError:
        if isinstance(error, RemoteDisconnected):
            return hung_up(here)
        if isinstance(error, HTTPException):
            return no_video(here, "something that speaks no HTTP")
        return explain_opening(error, here, 0.0, self.deadline.limit_s)

    def _asked(self, here: Address, headers: Headers) -> Answer:
        """Request, and again with user and password as long as the server asks for them."""
        login = self._logins.setdefault((here.host, here.logins), Login(*here.logins))
        answer = self._sent(here, login, headers)
        while answer.status == 401 and login.challenged(answer.challenges()):
            answer.close()
            answer = self._sent(here, login, headers)
        if answer.status != 401:
            login.accepted()
        unchanged = answer.status == 304 and _is_conditional(headers)
        if answer.status in (200, 206, *_REDIRECTS) or unchanged:
            return answer
        answer.close()
        raise answered_with(answer.status, here)

    def _sent(self, here: Address, login: Login, headers: Headers) -> Answer:
        parts = urlsplit(here.url)
        path = quote(parts.path or "/", safe=_KEPT_IN_PATHS)
        path += f"?{quote(parts.query, safe=_KEPT_IN_PATHS)}" if parts.query else ""
        headers = {"User-Agent": "Maskwatch", "Accept": "*/*", **headers}
        if said := login.authorization("GET", path):
            headers["Authorization"] = said
        if kept := self._taken(here):
            # A camera may have closed the kept connection: that is no fault.
            with suppress(RemoteDisconnected, ConnectionError, ssl.SSLError):
                return self._exchanged(here, kept, path, headers)
        connection = connect(self._reach, here.host, here.port, self.deadline.left_s())
        try:
            if here.encrypted:
                connection = secured(connection, here.host)
        except BaseException:
            connection.close()
            raise
        return self._exchanged(here, connection, path, headers)

    def _taken(self, here: Address) -> socket.socket | None:
        """Return the kept connection if it leads to the host of `here`; close any other."""
        kept, self._kept = self._kept, None
        if not kept:
            return None
        if (kept.host, kept.port, kept.encrypted) == (here.host, here.port, here.encrypted):
            return kept.connection
        kept.connection.close()
        return None

    def _exchanged(
        self, here: Address, connection: socket.socket, path: str, headers: Headers
    ) -> Answer:
        try:
            asking = HTTPConnection(here.host, here.port)
            asking.auto_open = 0  # use the given connection only, and never open another
            asking.default_port = 443 if here.encrypted else 80
            asking.sock = _TimedSocket(connection, self.deadline)
            asking.request("GET", path, headers=dict(headers))
            return Answer(here, connection, asking.getresponse())
        except BaseException:
            connection.close()
            raise


def _is_conditional(headers: Headers) -> bool:
    return "If-None-Match" in headers or "If-Modified-Since" in headers
