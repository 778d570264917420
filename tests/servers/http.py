"""Small HTTP servers that stand in for good and bad cameras."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

PAGE = b"<!doctype html><html><body><h1>Camera login</h1></body></html>" * 40
MJPEG_FPS = 20
_bound: list[socket.socket] = []


class _Handler(BaseHTTPRequestHandler):
    """`/page` is a web page, `/mjpeg` a good camera, `/stalls` falls silent, `/secret` says 401."""

    def do_GET(self) -> None:
        route = self.path.split("?")[0]
        if route == "/page":
            self._answer(200, "text/html", PAGE)
        elif route in ("/mjpeg", "/stalls"):
            self._stream(30 if route == "/stalls" else 10**9)
        elif route == "/secret":
            self._answer(401, "text/plain", b"no")
        else:
            self._answer(404, "text/plain", b"no")

    def _answer(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, frames: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(frames):
            jpeg = _picture(number)
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(1 / MJPEG_FPS)
        time.sleep(60)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Be quiet."""


@contextmanager
def http_cameras() -> Iterator[str]:
    """Yield `http://127.0.0.1:PORT`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent_server() -> Iterator[int]:
    """Yield the port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    """Return a port that nothing listens on, nor will while this process lives."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    _bound.append(bound)
    return int(bound.getsockname()[1])


def _picture(number: int) -> bytes:
    image = np.full((240, 320, 3), 40, np.uint8)
    cv2.putText(image, str(number), (40, 140), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
    return cv2.imencode(".jpg", image)[1].tobytes()
