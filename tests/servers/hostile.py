"""A camera that lures whoever reads it elsewhere, and the place it must not be lured to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CANARY_HOST = "127.0.0.2"
"""Another address of this machine, which tests declare refused."""


@dataclass
class Canary:
    """Listens where nobody may come; `visits` are the requests that did."""

    port: int = 0
    visits: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://{CANARY_HOST}:{self.port}"


@contextmanager
def canary(video: Path) -> Iterator[Canary]:
    """A web server with a perfectly good video under every path."""
    there = Canary()
    body = video.read_bytes()

    class Handler(Quiet):
        def handle(self) -> None:
            there.connections += 1
            super().handle()

        def do_GET(self) -> None:
            there.visits.append(self.path)
            self.answer(200, "video/mp4", body)

    with serving(CANARY_HOST, Handler) as port:
        there.port = port
        yield there


@contextmanager
def hostile_camera(
    answers: dict[str, tuple[int, str, str]], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve `answers` (path: status, type, body or `Location`) on 127.0.0.1; yields its URL.

    A body is latin-1, so that it can be any bytes.
    """

    class Handler(Quiet):
        def do_GET(self) -> None:
            status, kind, body = answers.get(self.path, (404, "text/plain", "no"))
            if status in (301, 302, 307, 308):
                self.send_response(status)
                self.send_header("Location", body)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(status, kind, body.encode("latin-1"))

    with serving("127.0.0.1", Handler, tls) as port:
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}"


@contextmanager
def file_server(
    folder: Path,
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    asked: list[tuple[str, str]] | None = None,
    login: str = "",
) -> Iterator[str]:
    """Serve the files of a folder by name; yields the URL.

    asked: takes the path and the `Authorization` of each request. login: the scheme by which
    anybody is let in who says anything.
    """

    class Handler(Quiet):
        def do_GET(self) -> None:
            path, said = folder / self.path.lstrip("/"), self.headers.get("Authorization", "")
            if asked is not None:
                asked.append((self.path, said))
            if login and not said:
                self.send_response(401)
                self.send_header("WWW-Authenticate", f'{login} realm="camera", nonce="17"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path.is_file():
                self.answer(200, "application/octet-stream", path.read_bytes())
            else:
                self.answer(404, "text/plain", b"no")

    with serving(host, Handler, tls) as port:
        yield f"http{'s' if tls else ''}://{host}:{port}"


class Quiet(BaseHTTPRequestHandler):
    """A handler that says nothing, and minds nobody who hangs up."""

    def answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


@contextmanager
def serving(
    host: str, handler: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serve on a free port of `host`; yields the port."""
    server = ThreadingHTTPServer((host, 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
