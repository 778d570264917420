"""HTTP cameras (MJPEG, MPEG-TS, snapshots) that misbehave as they are told to."""

from __future__ import annotations

import io
import time
from fractions import Fraction
from typing import Final, Protocol

import av
from av.container import OutputContainer
from av.video.stream import VideoStream

from tests.servers.camera_faults import Reply, Shot
from tests.servers.faulty_camera import FaultyCamera, Link
from tests.servers.films import FPS, Film, make_film
from tests.servers.rtp import CLOCK_HZ

BOUNDARY: Final = "frame"


class Wrapping(Protocol):
    """How pictures become bytes."""

    kind: str

    def wrapped(self, shot: Shot) -> bytes: ...


class Multipart:
    """MJPEG, as most cameras offer it."""

    kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"

    def wrapped(self, shot: Shot) -> bytes:
        [jpeg] = shot.film.unit(shot.number).nals
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg + b"\r\n"


class Bare:
    """MJPEG as cheap cameras offer it: no boundary first, no type, no length, odd line ends."""

    kind = "multipart/mixed"

    def wrapped(self, shot: Shot) -> bytes:
        [jpeg] = shot.film.unit(shot.number).nals
        return jpeg + b"\n\nmyboundary\n\n"


class TransportStream:
    """MPEG-TS, as restreamers offer it. Another film, or a time before the last, begins it anew."""

    kind = "video/mp2t"

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._film: Film | None = None
        self._last_s = 0.0
        self._muxer: OutputContainer | None = None
        self._stream: VideoStream | None = None

    def wrapped(self, shot: Shot) -> bytes:
        if shot.film is not self._film or shot.timestamp_s <= self._last_s:
            self._begin(shot.film)
        self._last_s = shot.timestamp_s
        unit = shot.film.unit(shot.number)
        packet = av.Packet(unit.annex_b)
        packet.stream, packet.time_base = self._stream, Fraction(1, CLOCK_HZ)
        packet.pts = packet.dts = round(shot.timestamp_s * CLOCK_HZ)
        packet.is_keyframe = unit.key
        self._muxer.mux_one(packet)
        return self._taken()

    def _begin(self, film: Film) -> None:
        self._film, self._out = film, io.BytesIO()
        options = {"flush_packets": "1", "mpegts_copyts": "1"}
        self._muxer = av.open(self._out, "w", "mpegts", options=options)
        with av.open(film.as_file(), format=film.codec) as source:
            self._stream = self._muxer.add_stream_from_template(source.streams.video[0])

    def _taken(self) -> bytes:
        data = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return data


class FaultyHttpCamera(FaultyCamera):
    """Serves one film under every path: MJPEG as multipart, others as MPEG-TS."""

    def __init__(
        self, film: Film | None = None, motion: type[Multipart | Bare] = Multipart
    ) -> None:
        super().__init__(film or make_film("mjpeg"))
        self._motion = motion

    def serve(self, link: Link) -> None:
        path = _read(link)
        wrapping = self._motion() if self._film.codec == "mjpeg" else TransportStream()
        right = Reply(200, "OK", (("Content-Type", wrapping.kind),))
        reply = self.fault.reply("GET", path) or right
        link.send(_written(reply))
        self.fault.answered("GET")
        if reply is right:
            for shot in self.shots(link):
                data = b"".join(self.fault.packets([wrapping.wrapped(shot)]))
                link.send(self.fault.wire(data, shot.at_s))


class FaultySnapshotCamera(FaultyCamera):
    """Answers each request with one JPEG picture, on connections that are kept."""

    def __init__(self, film: Film | None = None) -> None:
        super().__init__(film or make_film("mjpeg"))

    def serve(self, link: Link) -> None:
        began_s = time.monotonic()
        while True:
            path = _read(link)
            self.fault.answered("GET")
            if reply := self.fault.reply("GET", path):
                link.send(_written(reply))
                return
            at_s = time.monotonic() - began_s
            shot = self.fault.shot(Shot(self.film, int(at_s * FPS), at_s, at_s))
            [jpeg] = shot.film.unit(shot.number).nals
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(jpeg)}\r\nContent-Type: image/jpeg"
            sent = b"".join(self.fault.packets([jpeg]))
            link.send(self.fault.wire(f"{head}\r\n\r\n".encode() + sent, at_s))


def _read(link: Link) -> str:
    """Return the path that a viewer asks for."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        part = link.connection.recv(4096)
        if not part:
            raise ConnectionError("the viewer has left")
        head += part
    return head.decode().split(" ")[1]


def _written(reply: Reply) -> bytes:
    headers = [("Connection", "close"), *reply.headers]
    if reply.status != 200:
        headers.append(("Content-Length", str(len(reply.body))))
    lines = [f"HTTP/1.1 {reply.status} {reply.words}", *(f"{k}: {v}" for k, v in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body
