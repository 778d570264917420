"""An RTSP camera (RFC 2326) that misbehaves as it is told to."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Final

from tests.servers.camera_faults import Reply
from tests.servers.faulty_camera import FaultyCamera, Link
from tests.servers.films import Film, make_film
from tests.servers.rtp import RtpStream, description, interleaved

METHODS: Final = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
SESSION: Final = "4711;timeout=60"


@dataclass(frozen=True)
class Request:
    """What a viewer asks."""

    method: str
    url: str
    headers: dict[str, str]

    @property
    def path(self) -> str:
        return "/" + self.url.partition("://")[2].partition("/")[2]


class FaultyRtspCamera(FaultyCamera):
    """Serves one H.264 or H.265 film under every path, over TCP or over UDP alone."""

    scheme = "rtsp"

    def __init__(
        self,
        film: Film | None = None,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        udp: bool = False,
    ) -> None:
        super().__init__(film or make_film(), host, tls)
        self._udp = udp
        self.scheme = "rtsps" if tls else "rtsp"
        self.requests: list[Request] = []
        self.viewers: list[tuple[str, int]] = []
        """Where video was sent to over UDP."""

    def serve(self, link: Link) -> None:
        while True:
            request = _read(link)
            self.requests.append(request)
            reply = self.fault.reply(request.method, request.path) or self._right(request)
            link.send(_written(reply, request))
            self.fault.answered(request.method)
            if request.method == "TEARDOWN":
                return
            if request.method == "PLAY" and reply.status == 200:
                threading.Thread(target=self._play, args=(link,), daemon=True).start()

    def _right(self, request: Request) -> Reply:
        headers: list[tuple[str, str]] = []
        body = b""
        if request.method == "OPTIONS":
            headers.append(("Public", METHODS))
        elif request.method == "DESCRIBE":
            base = f"{self.url}/"
            headers += [("Content-Type", "application/sdp"), ("Content-Base", base)]
            body = description(self.film).encode()
        elif request.method == "SETUP":
            transport = request.headers.get("transport", "")
            if ("TCP" in transport) is self._udp:
                return Reply(461, "Unsupported Transport")
            agreed = self._agree(transport) if self._udp else "RTP/AVP/TCP;unicast;interleaved=0-1"
            headers += [("Transport", agreed), ("Session", SESSION)]
        else:
            headers.append(("Session", SESSION))
        return Reply(200, "OK", tuple(headers), body)

    def _agree(self, transport: str) -> str:
        port = re.search(r"client_port=(\d+)-", transport)
        assert port
        self.viewers.append((self.host, int(port[1])))
        return f"{transport};server_port=50000-50001"

    def _play(self, link: Link) -> None:
        try:
            self.guarded(link, self._send_pictures)
        finally:
            link.close()

    def _send_pictures(self, link: Link) -> None:
        stream = RtpStream()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((self.host, 0))
            for shot in self.shots(link):
                unit = shot.film.unit(shot.number)
                packets = stream.packets(unit, shot.film.codec, shot.timestamp_s)
                sent = self.fault.packets(packets)
                data = self.fault.wire(b"".join(map(interleaved, sent)), shot.at_s)
                if not self._udp:
                    link.send(data)
                    continue
                for packet in sent:
                    udp.sendto(packet, self.viewers[-1])


def _read(link: Link) -> Request:
    """Return the next request, passing over the viewer's RTCP reports; raise when it has left."""
    while True:
        first = _exactly(link, 1)
        if first != b"$":
            break
        length = int.from_bytes(_exactly(link, 3)[1:])
        _exactly(link, length)
    head = first
    while not head.endswith(b"\r\n\r\n"):
        head += _exactly(link, 1)
    line, *rest = head.decode().strip().split("\r\n")
    headers = {k.strip().lower(): v.strip() for k, _, v in (one.partition(":") for one in rest)}
    method, url, _ = line.split(" ")
    _exactly(link, int(headers.get("content-length", 0)))
    return Request(method, url, headers)


def _exactly(link: Link, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = link.connection.recv(count - len(data))
        if not part:
            raise ConnectionError("the viewer has left")
        data += part
    return data


def _written(reply: Reply, request: Request) -> bytes:
    headers = [("CSeq", request.headers.get("cseq", "0")), *reply.headers]
    if reply.body:
        headers.append(("Content-Length", str(len(reply.body))))
    lines = [f"RTSP/1.0 {reply.status} {reply.words}", *(f"{k}: {v}" for k, v in headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body
