"""A camera on a port of its own whose fault is switched on and off while it is being read."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from tests.servers.camera_faults import WELL, Fault, HangUpError, Shot, SilenceError
from tests.servers.films import FPS, Film


class Link:
    """One viewer's connection. Writes are whole: pictures have a thread of their own."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.closed = threading.Event()
        self._writing = threading.Lock()

    def send(self, data: bytes) -> None:
        with self._writing:
            self.connection.sendall(data)

    def keep_silent(self) -> None:
        """Hold the connection until it is cut, and say nothing more, whoever asks."""
        with self._writing:
            self.closed.wait()

    def close(self) -> None:
        """End the connection for whoever reads or writes. The socket stays theirs: once closed, its
        number is the next socket's, and TLS would go on writing to that."""
        self.closed.set()
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.connection, socket.SHUT_RDWR)

    def free(self) -> None:
        """Close the socket, once nobody writes any more."""
        self.close()
        with self._writing:
            self.connection.close()


class FaultyCamera:
    """Plays a film to each viewer from its beginning, in real time, unless something is wrong.

    A connection on which a fault fell silent stays so after the fault is over: as of a camera that
    was restarted, it is the viewer who must come anew.
    """

    scheme = "http"

    def __init__(
        self, film: Film, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
    ) -> None:
        self._film = film
        self.host = host
        self._tls = tls
        self._fault: Fault = WELL
        self._links: set[Link] = set()
        self._lock = threading.Lock()
        self._listener = _listen(host, 0)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        """How many were accepted so far."""

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/live"

    @property
    def fault(self) -> Fault:
        return self._fault

    @property
    def film(self) -> Film:
        return self._fault.film(self._film)

    def begin(self, fault: Fault) -> None:
        """Have this be wrong from now on."""
        self._fault = fault
        if not fault.listens:
            _shut(self._listener)
        if fault.cuts:
            self._cut()

    def end(self) -> None:
        """All is well again."""
        listened, self._fault = self._fault.listens, WELL
        if not listened:
            self._listener = _listen(self.host, self.port)
            self._serve()

    def __enter__(self) -> Self:
        self._serve()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _shut(self._listener)
        self._cut()

    def serve(self, link: Link) -> None:
        """Answer one viewer until it leaves; may hang up or fall silent."""
        raise NotImplementedError

    def shots(self, link: Link) -> Iterator[Shot]:
        """Yield a viewer's pictures when they are due."""
        began_s = due_s = time.monotonic()
        timestamp_s, number, film = 1.0, 0, self.film
        while not link.closed.wait(max(0.0, due_s - time.monotonic())):
            at_s = due_s - began_s
            if self.film is not film:
                number, film = 0, self.film  # a key frame comes first
            shot = self.fault.shot(Shot(film, number, timestamp_s, at_s))
            yield shot
            due_s += shot.interval_s
            timestamp_s += shot.interval_s
            number = (shot.number + 1) % (60 * FPS)

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = Link(connection)
            with self._lock:
                self._links.add(link)
            threading.Thread(target=self._attend, args=(link,), daemon=True).start()

    def _attend(self, link: Link) -> None:
        try:
            if self._tls:
                link.connection = self._tls.wrap_socket(link.connection, server_side=True)
            self.guarded(link, self.serve)
        except OSError:
            pass  # the viewer speaks no TLS
        finally:
            link.free()
            with self._lock:
                self._links.discard(link)

    def guarded(self, link: Link, act: Callable[[Link], None]) -> None:
        """Do something with a connection, and what its fault says instead."""
        try:
            act(link)
        except HangUpError as fault:
            with contextlib.suppress(OSError):
                link.send(fault.last)
        except SilenceError as fault:
            with contextlib.suppress(OSError):
                link.send(fault.last)
            link.keep_silent()
        except (OSError, ValueError):
            pass  # the viewer left

    def _cut(self) -> None:
        with self._lock:
            links = list(self._links)
        for link in links:
            link.close()


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port), backlog=64)


def _shut(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
