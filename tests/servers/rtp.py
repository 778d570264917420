"""Pictures in RTP packets (RFC 3550), H.264 (RFC 6184) and H.265 (RFC 7798), and their SDP."""

from __future__ import annotations

import base64
import struct
from typing import Final

from tests.servers.films import Codec, Film, Unit

CLOCK_HZ: Final = 90_000
PAYLOAD_TYPE: Final = 96
MOST_PAYLOAD_BYTES: Final = 1200
HEADER_BYTES: Final = 12


class RtpStream:
    """Numbers one stream's packets."""

    def __init__(self, ssrc: int = 0x4D57) -> None:
        self._ssrc = ssrc
        self._sequence = 0

    def packets(self, unit: Unit, codec: Codec, timestamp_s: float) -> list[bytes]:
        """Return a picture's packets, the last one marked."""
        payloads = [part for nal in unit.nals for part in _payloads(nal, codec)]
        last = len(payloads) - 1
        return [
            self._header(number == last, timestamp_s) + payload
            for number, payload in enumerate(payloads)
        ]

    def _header(self, marked: bool, timestamp_s: float) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        ticks = round(timestamp_s * CLOCK_HZ) & 0xFFFFFFFF
        kind = PAYLOAD_TYPE | (0x80 if marked else 0)
        return struct.pack("!BBHII", 0x80, kind, self._sequence, ticks, self._ssrc)


def interleaved(packet: bytes, channel: int = 0) -> bytes:
    """A packet as it goes through RTSP's own connection."""
    return struct.pack("!cBH", b"$", channel, len(packet)) + packet


def description(film: Film) -> str:
    """The session's SDP."""
    sets = [base64.b64encode(nal).decode() for nal in film.parameter_sets]
    if film.codec == "h264":
        name, about = "H264", f"packetization-mode=1;sprop-parameter-sets={','.join(sets)}"
    else:
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        name = "H265"
        about = ";".join(f"{key}={value}" for key, value in zip(names, sets, strict=True))
    lines = [
        *("v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0"),
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {name}/{CLOCK_HZ}",
        f"a=fmtp:{PAYLOAD_TYPE} {about}",
        "a=control:track0",
    ]
    return "\r\n".join(lines) + "\r\n"


def _payloads(nal: bytes, codec: Codec) -> list[bytes]:
    if len(nal) <= MOST_PAYLOAD_BYTES:
        return [nal]
    if codec == "h264":
        begin, kind, body = bytes([nal[0] & 0xE0 | 28]), nal[0] & 0x1F, nal[1:]
    else:
        begin, kind, body = bytes([nal[0] & 0x81 | 49 << 1, nal[1]]), nal[0] >> 1 & 0x3F, nal[2:]
    parts = [body[at : at + MOST_PAYLOAD_BYTES] for at in range(0, len(body), MOST_PAYLOAD_BYTES)]
    last = len(parts) - 1
    return [
        begin + bytes([kind | (number == 0) << 7 | (number == last) << 6]) + part
        for number, part in enumerate(parts)
    ]
