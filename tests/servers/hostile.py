"""A camera that lures whoever reads it elsewhere, and the place it must not be lured to."""

from __future__ import annotations

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

    class Handler(_Quiet):
        def handle(self) -> None:
            there.connections += 1
            super().handle()

        def do_GET(self) -> None:
            there.visits.append(self.path)
            self.answer(200, "video/mp4", body)

    with _serving(CANARY_HOST, Handler) as port:
        there.port = port
        yield there


@contextmanager
def hostile_camera(answers: dict[str, tuple[int, str, str]]) -> Iterator[str]:
    """Serve `answers` (path: status, type, body or `Location`) on 127.0.0.1; yields its URL."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            status, kind, body = answers.get(self.path, (404, "text/plain", "no"))
            if status in (301, 302, 307, 308):
                self.send_response(status)
                self.send_header("Location", body)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(status, kind, body.encode())

    with _serving("127.0.0.1", Handler) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Serve the files of a folder on 127.0.0.1, by name; yields the URL."""

    class Handler(_Quiet):
        def do_GET(self) -> None:
            path = folder / self.path.lstrip("/")
            if path.is_file():
                self.answer(200, "application/octet-stream", path.read_bytes())
            else:
                self.answer(404, "text/plain", b"no")

    with _serving("127.0.0.1", Handler) as port:
        yield f"http://127.0.0.1:{port}"


class _Quiet(BaseHTTPRequestHandler):
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
def _serving(host: str, handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    server = ThreadingHTTPServer((host, 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
