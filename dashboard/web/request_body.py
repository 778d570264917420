"""Reads a request's body against a deadline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

from dashboard.web.connections import TOO_LATE, Connection
from dashboard.web.errors import BUSY_FOR_S

STEP_BYTES: Final = 64 * 1024


class Readable(Protocol):
    """The interface of gunicorn's body, which WSGI requires."""

    def read(self, size: int) -> bytes: ...

    def readline(self, size: int) -> bytes: ...


class RequestBody:
    """WSGI's `wsgi.input` over a connection that may be closed during the reading.

    Reading raises exceptions that Flask turns into answers:
        RequestTimeout: the client sent too slowly.
        ServiceUnavailable: other clients needed the connection.
    """

    def __init__(self, body: Readable, connection: Connection) -> None:
        self._body = body
        self._connection = connection
        connection.begin_body()

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer at the end of the body; the whole body for a negative size."""
        parts: list[bytes] = []
        left = size
        while left:
            step = STEP_BYTES if left < 0 else min(left, STEP_BYTES)
            part = self._wait(self._body.read, step)
            if not part:
                break
            parts.append(part)
            left = left - len(part) if left > 0 else left
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        """Return a line, with its end, of `size` bytes or 64 KiB at most."""
        return self._wait(self._body.readline, size if 0 <= size <= STEP_BYTES else STEP_BYTES)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """Return all lines."""
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _wait(self, read: Callable[[int], bytes], size: int) -> bytes:
        connection = self._connection
        connection.wait_for(size)
        try:
            part = bytes(read(size))
        except (OSError, ParseException) as error:  # it ended where a chunk does not
            if connection.given_up:
                raise _error(connection.given_up) from error
            raise
        connection.arrived(len(part))
        if connection.given_up:
            raise _error(connection.given_up)
        return part


def _error(why: str) -> RequestTimeout | ServiceUnavailable:
    words = f"The request was not read to its end: {why}."
    return RequestTimeout(words) if why == TOO_LATE else ServiceUnavailable(words, None, BUSY_FOR_S)
