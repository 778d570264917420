"""Web cameras as they are found in the field: odd Motion JPEG, and snapshots."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import cv2
import numpy as np

from tests.servers.doorman import Doorman
from tests.servers.films import make_film
from tests.servers.hostile import Quiet, serving

FPS = 15
MIXED = "multipart/x-mixed-replace"
PICTURES: Sequence[bytes] = tuple(unit.nals[0] for unit in make_film("mjpeg").units)

SOLID_PNG = cv2.imencode(".png", np.full((180, 320, 3), (20, 200, 240), np.uint8))[1].tobytes()

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class WebCamera:
    """A camera that is being served."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each, names in lower case."""
    connections: int = 0


@contextmanager
def web_camera(
    answer: Answer, doorman: Doorman | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[WebCamera]:
    """Serve one answer under every path, to whoever the doorman lets in."""
    camera, lock = WebCamera(), threading.Lock()

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def handle(self) -> None:
            with lock:
                camera.connections += 1
            with suppress(OSError):
                super().handle()

        def do_GET(self) -> None:  # noqa: N802 - the name that http.server looks for
            headers = {name.lower(): value for name, value in self.headers.items()}
            camera.requests.append((self.path, headers))
            said = headers.get("authorization", "")
            if doorman and not doorman.lets_in("GET", self.path, said):
                self.send_response(401)
                for name, value in doorman.refusal.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                answer(self)

    with serving("127.0.0.1", Handler, tls) as port:
        camera.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/live"
        yield camera


@dataclass(frozen=True)
class Motion:
    """Motion JPEG; the defaults are as the standard has it."""

    kind: str = f"{MIXED}; boundary=b"
    delimiter: str = "--b"
    part: str = "Content-Type: image/jpeg\r\n"
    length: Callable[[int], int] | None = int
    line_end: str = "\r\n"
    first: bool = True
    trail: bytes | None = None
    preamble: bytes = b""
    pictures: Sequence[bytes] = PICTURES
    chunked: bool = False
    headers: str = ""
    fps: float = FPS
    most: int = 10**9

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        headers = f"Content-Type: {self.kind}\r\n" if self.kind else ""
        headers += self.headers + ("Transfer-Encoding: chunked\r\n" if self.chunked else "")
        handler.close_connection = True
        handler.wfile.write(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode())
        self._write(handler, self.preamble)
        for number in range(self.most):
            picture = self.pictures[number % len(self.pictures)]
            self._write(handler, self.wrapped(picture, number))
            time.sleep(1 / self.fps)

    def wrapped(self, picture: bytes, number: int) -> bytes:
        head = self.delimiter + self.line_end if number or self.first else ""
        head += self.part.replace("\r\n", self.line_end)
        if self.length:
            head += f"Content-Length: {self.length(len(picture))}{self.line_end}"
        trail = self.line_end.encode() if self.trail is None else self.trail
        return (head + self.line_end if head else "").encode() + picture + trail

    def _write(self, handler: BaseHTTPRequestHandler, data: bytes) -> None:
        if data and self.chunked:
            data = f"{len(data):x}\r\n".encode() + data + b"\r\n"
        handler.wfile.write(data)


@dataclass
class Snapshot:
    """One picture an answer, a new one so many times a second."""

    fps: float = 5.0
    kind: str = "image/jpeg"
    validators: Sequence[str] = ()
    """Of `ETag` and `Last-Modified`."""
    same_tag: bool = False
    """Whether the tag never changes, though the pictures do."""
    takes_s: float = 0.0
    length: bool = True
    pictures: Sequence[bytes] = PICTURES
    fault: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False
    """Answers in its own way and returns True; or returns False."""
    served: dict[int, int] = field(default_factory=dict)
    """How many answers had this status."""

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        time.sleep(self.takes_s)
        if self.fault(handler):
            return
        number = int(time.time() * self.fps)
        picture = self.pictures[number % len(self.pictures)]
        tag = hashlib.sha256(b"" if self.same_tag else picture).hexdigest()
        headers: dict[str, Any] = {"Content-Type": self.kind}
        if "ETag" in self.validators:
            headers["ETag"] = f'"{tag}"'
        if "Last-Modified" in self.validators:
            headers["Last-Modified"] = formatdate(number // max(self.fps, 1), usegmt=True)
        if self.length:
            headers["Content-Length"] = len(picture)
        status = 304 if self._is_known(handler, headers) else 200
        self.served[status] = self.served.get(status, 0) + 1
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, str(value))
        if not self.length:
            handler.send_header("Connection", "close")
        handler.end_headers()
        if status == 200:
            handler.wfile.write(picture)

    def _is_known(self, handler: BaseHTTPRequestHandler, headers: dict[str, Any]) -> bool:
        asked = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        known = [
            handler.headers[asks] == headers.get(name)
            for name, asks in asked.items()
            if handler.headers[asks]
        ]
        return bool(known) and all(known)


def answers(status: int, kind: str = "text/html", body: bytes = b"") -> Callable[..., bool]:
    """Return a fault that answers this."""

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)
        return True

    return fault


ODD_MOTION: dict[str, Answer] = {
    "as the standard has it": Motion(),
    "no boundary before the first part": Motion(first=False),
    "no length": Motion(length=None),
    "dashes in the parameter": Motion(f"{MIXED}; boundary=--my", "--my"),
    "dashes in the parameter, no length": Motion(f"{MIXED}; boundary=--my", "--my", length=None),
    "no dashes before a part": Motion(f"{MIXED}; boundary=my", "my"),
    "no dashes, no length": Motion(f"{MIXED}; boundary=my", "my", length=None),
    "another boundary than announced": Motion(f"{MIXED}; boundary=one", "--other"),
    "image/jpg": Motion(part="Content-Type: image/jpg\r\n"),
    "image/pjpeg": Motion(part="Content-Type: image/pjpeg\r\n"),
    "a parameter of the type": Motion(part="Content-Type: image/jpeg;size=1234\r\n"),
    "no type of a part": Motion(part=""),
    "neither type nor length": Motion(part="", length=None),
    "a length too small": Motion(length=lambda size: size - 9),
    "a length too large": Motion(length=lambda size: size + 9),
    "a length of zero": Motion(length=lambda _: 0),
    "line feeds alone": Motion(line_end="\n"),
    "a quoted boundary with a space": Motion(f'{MIXED}; boundary="my b"', "--my b"),
    "headers in lower case": Motion(part="content-type:image/jpeg\r\n"),
    "further headers": Motion(part="X-Timestamp: 1.5\r\nContent-Type: image/jpeg\r\nX-A: b\r\n"),
    "text/plain": Motion("text/plain"),
    "application/octet-stream": Motion("application/octet-stream", length=None),
    "no type": Motion(""),
    "no boundary parameter": Motion(MIXED),
    "multipart/mixed": Motion("multipart/mixed; boundary=b"),
    "multipart/related": Motion("Multipart/Related;boundary=b"),
    "line ends first": Motion(preamble=b"\r\n\r\n"),
    "nothing after a part": Motion(trail=b""),
    "nothing after a part, no length": Motion(trail=b"", length=None),
    "three line ends after a part": Motion(trail=b"\r\n\r\n\r\n"),
    "chunks": Motion(chunked=True),
    "chunks and a length of the whole": Motion(chunked=True, headers="Content-Length: 99\r\n"),
    "headers that are none": Motion(headers="no header at all\r\n: nothing\r\n"),
    "chunks, no length": Motion(chunked=True, length=None),
    "empty parts between": Motion(pictures=(b"", PICTURES[0], b"", PICTURES[1])),
    "pictures without end marks": Motion(pictures=[one[:-2] for one in PICTURES[:9]]),
    "pictures alone": Motion("video/x-motion-jpeg", "", "", None, "", trail=b""),
    "pictures alone as a picture": Motion("image/jpeg", "", "", None, "", trail=b""),
    "parts of text between": Motion(
        trail=b"\r\n--b\r\nContent-Type: text/plain\r\n\r\nmotion=1\r\n\r\n"
    ),
    "pictures as PNG": Motion(pictures=[SOLID_PNG], part="Content-Type: image/png\r\n"),
}
"""Motion JPEG by what is odd about it."""
