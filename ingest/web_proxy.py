"""Carries FFmpeg's web requests, and makes each connection itself, to an address it has checked.

FFmpeg follows redirects, and playlists name other hosts. Told to use this proxy, it connects to
nothing else, and what is checked is what is connected to: a name that changes its address between
the two gains nothing.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from contract.errors import SourceError, SourceForbiddenError
from ingest.connecting import connect
from ingest.reach import Reach

MOST_HEAD_BYTES: Final = 64 * 1024
CHUNK_BYTES: Final = 64 * 1024
CONNECTED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSAL: Final = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_REDIRECT: Final = re.compile(rb"HTTP/1\.\d 30[12378] ")
_OWN_HEADERS: Final = re.compile(rb"(?im)^(proxy-[a-z-]+|connection|keep-alive):.*\r\n")


class WebProxy:
    """An HTTP proxy on the loopback interface, for one source. `failure` is why it last refused."""

    def __init__(self, reach: Reach, timeout_s: float) -> None:
        self._reach = reach
        self._timeout_s = timeout_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.failure: SourceError | OSError | None = None
        self.redirects = 0
        """Answers in a row, up to the last, that sent us elsewhere; those in tunnels are unseen."""

    @property
    def url(self) -> str:
        """What FFmpeg's `http_proxy` wants."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        """Serve until `close`, in threads that end with the process."""
        threading.Thread(target=self._accept, name="web proxy", daemon=True).start()

    def close(self) -> None:
        """Cut all connections."""
        _shut(self._listener)
        with self._lock:
            for connection in self._open:
                _cut(connection)  # whose thread closes it

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with self._lock:
            self._open.add(client)
        try:
            client.settimeout(self._timeout_s)
            self._carry(client)
        except OSError as error:
            self.failure = error  # broken off under way
        finally:
            with self._lock:
                self._open.discard(client)
            _shut(client)

    def _carry(self, client: socket.socket) -> None:
        """Carry one request and its answer."""
        try:
            head, rest = _read_head(client)
            host, port, forwarded = _read_request(head)
            server = connect(self._reach, host, port, self._timeout_s)
        except (SourceError, OSError, ValueError) as error:
            self.failure = None if isinstance(error, ValueError) else error
            client.sendall(REFUSAL)
            return
        self.failure = None
        with self._lock:
            self._open.add(server)
        try:
            if forwarded is None:
                client.sendall(CONNECTED)
            else:
                server.sendall(forwarded)
            server.sendall(rest)
            _relay(client, server, self._note_answer)
        finally:
            with self._lock:
                self._open.discard(server)
            _shut(server)

    def _note_answer(self, beginning: bytes) -> None:
        self.redirects = self.redirects + 1 if _REDIRECT.match(beginning) else 0


def _relay(client: socket.socket, server: socket.socket, note: Callable[[bytes], None]) -> None:
    """Pass bytes both ways until either side ends. Silence is FFmpeg's to judge.

    note: told the first bytes that the server sends.
    """
    answered = False
    others = {client: server, server: client}
    while True:
        ready, _, _ = select.select([client, server], [], [])
        for connection in ready:
            data = connection.recv(CHUNK_BYTES)
            if not data:
                return
            if connection is server and not answered:
                answered = True
                note(data)
            others[connection].sendall(data)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head, with its empty line, and what came after it."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = client.recv(CHUNK_BYTES)
        if not data or len(received) > MOST_HEAD_BYTES:
            raise ValueError("a request without an end")
        received += data
    head, separator, rest = received.partition(b"\r\n\r\n")
    return head + separator, rest


def _read_request(head: bytes) -> tuple[str, int, bytes | None]:
    """Return host, port, and the head for the server; None for a tunnel (`CONNECT`)."""
    line, _, headers = head.partition(b"\r\n")
    method, target, version = line.decode("latin-1").split(" ")
    parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
    if not parts.hostname or (method != "CONNECT" and parts.scheme != "http"):
        raise SourceForbiddenError(f"only web addresses may be asked for, not {parts.scheme}:")
    if method == "CONNECT":
        return parts.hostname, parts.port or 443, None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = _OWN_HEADERS.sub(b"", headers)
    first = f"{method} {path} {version}\r\nConnection: close\r\n".encode("latin-1")
    return parts.hostname, parts.port or 80, first + kept


def _shut(connection: socket.socket) -> None:
    _cut(connection)
    connection.close()


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # not connected, or gone
        connection.shutdown(socket.SHUT_RDWR)
