"""An uploaded recording and its report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from contract.messages import Moment, Share, checked, read_versioned

SCHEMA: Final = 1
Container = Literal["mov", "matroska", "avi", "mpegts", "mpeg", "flv", "asf", "dhav"]
CONTAINERS: Final = {
    "mov": "MP4 or MOV",
    "matroska": "MKV or WebM",
    "avi": "AVI",
    "mpegts": "TS or M2TS",
    "mpeg": "MPEG-PS",
    "flv": "FLV",
    "asf": "WMV",
    "dhav": "DAV",
}
"""FFmpeg's names of the accepted containers. Formats that can reference other files are
excluded."""


@dataclass(frozen=True)
class Recording:
    """One uploaded recording."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    """Also part of the files' names."""
    owner: str
    name: str
    container: Container
    created_at_s: Moment
    state: str = "uploading"
    """`uploading`, `queued`, `running`, `finished` or `failed`."""
    progress: Share = 0.0
    """Share of the recording that was analysed, 0 to 1."""
    error: str = ""
    """The recording's fault, in plain words."""
    report: dict[str, Any] = field(default_factory=dict)
    """The report of `worker.uploads.recordings`; empty until finished."""
    kept_until_s: Moment = 0.0
    """Expiry in seconds since the epoch, also part of the files' names. 0 in records of earlier
    versions."""
    v: int = SCHEMA

    @classmethod
    def decode(cls, raw: bytes | str) -> Recording:
        """Read a record from Redis; raise `MessageError` if it is not a recording."""
        return checked(_ADAPTER, read_versioned(raw, SCHEMA, _WHAT), _WHAT)


_WHAT: Final = "a recording's record"
_OUR_FILE: Final = re.compile(r"maskwatch-[0-9a-f]{24}-(\d{1,11})\.(?:given|mp4)")
_ADAPTER: Final = TypeAdapter(Recording)


FIRST_BYTES: Final = 4096
"""Enough to tell a container: a transport stream by five of its packets, wherever it was cut."""
_SIGNS: Final[dict[bytes, Container]] = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\0\0\1\xba": "mpeg",
    b"IMKH": "mpeg",  # a Hikvision recorder's header before a program stream
    b"FLV\1": "flv",
    b"\x30\x26\xb2\x75": "asf",
    b"DHAV": "dhav",
}
_FIRST_BOXES: Final = {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip"}
_TS_PACKETS: Final = (188, 192)
"""Bytes of a packet of TS and of M2TS."""
_TS_PACKETS_SEEN: Final = 5


def container_of(start: bytes) -> Container | None:
    """Return the container of a file from its first `FIRST_BYTES`; None if it is not accepted."""
    if start[4:8] in _FIRST_BOXES:
        return "mov"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "avi"
    if sign := _SIGNS.get(start[:4]):
        return sign
    return "mpegts" if _is_transport_stream(start) else None


def _is_transport_stream(start: bytes) -> bool:
    for length in _TS_PACKETS:
        for first in range(length):
            marks = start[first : first + _TS_PACKETS_SEEN * length : length]
            if len(marks) > 1 and set(marks) == {0x47}:
                return True
    return False
