"""One video stream that a camera sends over UDP, because it refuses to send it over TCP."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Final

from ingest.rtsp.messages import packet

RECEIVED_BYTES: Final = 65536
BUFFER_BYTES: Final = 2 * 1024 * 1024
"""Receive buffer: a key frame arrives in one burst. The system may give less
(net.core.rmem_max)."""
TRIES: Final = 50
MOST_AT_ONCE: Final = 1000
"""Most packets per read, so that a flooded port does not delay other work."""
# These packets open the way back through a stateful firewall: an RTP packet without a payload, and
# an empty receiver report.
_OPENERS: Final = (b"\x80" + bytes(11), b"\x80\xc9\x00\x01" + bytes(4))
_CHANNELS: Final = re.compile(r"interleaved=(\d+)(?:-(\d+))?")
_SERVER_PORTS: Final = re.compile(r"server_port=([0-9]{1,5})(?:-([0-9]{1,5}))?\b")


class UdpStream:
    """A pair of ports, RTP and RTCP, on our address of the connection to the camera.

    Accepts packets from the camera's own address only.
    """

    def __init__(self, control: socket.socket, wanted: str) -> None:
        """`control`: the connection to the camera. `wanted`: the TCP transport it refused."""
        self._here: str = control.getsockname()[0]
        self._camera: str = control.getpeername()[0]
        found = _CHANNELS.search(wanted)
        first = int(found[1]) if found else 0
        self.channels = (first, int(found[2]) if found and found[2] else first + 1)
        """Channel numbers of RTP and RTCP in a TCP connection."""
        self.sockets = _pair(self._here, control.family)
        self._ports: tuple[int, int] | None = None

    @property
    def transport(self) -> str:
        """Return the transport to request from the camera."""
        rtp, rtcp = (one.getsockname()[1] for one in self.sockets)
        return f"RTP/AVP;unicast;client_port={rtp}-{rtcp}"

    @property
    def as_tcp(self) -> str:
        """Return the transport for the viewer, which reads through TCP."""
        return "RTP/AVP/TCP;unicast;interleaved={}-{}".format(*self.channels)

    def agreed(self, answer: str) -> None:
        """Open the firewall for packets from the ports that the camera named."""
        if not (found := _SERVER_PORTS.search(answer)):
            return
        ports = int(found[1]), int(found[2] or int(found[1]) + 1)
        for one, port, opener in zip(self.sockets, ports, _OPENERS, strict=True):
            with contextlib.suppress(OSError, OverflowError):
                one.sendto(opener, (self._camera, port))
        self._ports = ports

    def report(self, channel: int, payload: bytes) -> None:
        """Send the camera a packet of one of the channels: a receiver report."""
        if channel in self.channels and self._ports:
            at = self.channels.index(channel)
            with contextlib.suppress(OSError, OverflowError):
                self.sockets[at].sendto(payload, (self._camera, self._ports[at]))

    def received(self) -> bytes:
        """Return all packets received so far as a run of media packets, pictures in order.

        Packets that overtook one another are sorted if they arrived together.
        """
        rtp, rtcp = ([*self._read(one)] for one in self.sockets)
        if rtp:
            first = _number(rtp[0])
            rtp.sort(key=lambda one: (_number(one) - first + 0x8000) & 0xFFFF)
        channels = [self.channels[0]] * len(rtp) + [self.channels[1]] * len(rtcp)
        return b"".join(map(packet, channels, [*rtp, *rtcp]))

    def close(self) -> None:
        for one in self.sockets:
            one.close()

    def _read(self, one: socket.socket) -> list[bytes]:
        found: list[bytes] = []
        for _ in range(MOST_AT_ONCE):
            try:
                data, (host, *_) = one.recvfrom(RECEIVED_BYTES)
            except OSError:  # no more data, or a report that the camera's port is closed
                break
            if host == self._camera and data:
                found.append(data)
        return found


def _number(rtp: bytes) -> int:
    return int.from_bytes(rtp[2:4], "big")


def _pair(host: str, family: int) -> tuple[socket.socket, socket.socket]:
    """Bind an even port and the next one, as RTP requires (RFC 3550, 11)."""
    for _ in range(TRIES):
        rtp = _bound(host, 0, family)
        port = rtp.getsockname()[1]
        if port % 2 == 0:
            try:
                return rtp, _bound(host, port + 1, family)
            except OSError:
                pass  # taken
        rtp.close()
    raise OSError("no two neighbouring UDP ports are free")


def _bound(host: str, port: int, family: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        made.bind((host, port))
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
