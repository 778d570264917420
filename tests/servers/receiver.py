"""A receiver of webhooks that keeps what it got and may misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """What it got, and what it answers next; 200 when nothing is left to answer."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """Statuses; 0: says nothing until the end, -1: a piece of a header each half second."""
    released: threading.Event = field(default_factory=threading.Event)
    handler: type[BaseHTTPRequestHandler] = BaseHTTPRequestHandler

    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.got]


@contextmanager
def receiver(*answers: int, host: str = "127.0.0.1") -> Iterator[Receiver]:
    """A receiver, on the loopback unless another `host` is given."""
    state = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.got.append(Received(self.path, headers, body))
            status = state.answers.pop(0) if state.answers else 200
            if status <= 0:
                self._say_nothing(drip=status < 0)
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{state.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _say_nothing(self, drip: bool) -> None:
            if drip:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not state.released.wait(0.5):
                if drip:
                    self.wfile.write(b"x: y\r\n")
                    self.wfile.flush()
            self.close_connection = True

        do_GET = do_POST  # noqa: N815 - as http.server calls it

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Be quiet."""

    state.handler = Handler
    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    state.url = f"http://{host}:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        server.server_close()
