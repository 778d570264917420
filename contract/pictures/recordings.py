"""An uploaded recording and its report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter

from contract.messages import Moment, Share, checked, read_versioned

SCHEMA: Final = 1
Container = Literal["mov", "matroska", "avi", "mpegts"]
CONTAINERS: Final = {"mov": "MP4 or MOV", "matroska": "MKV or WebM", "avi": "AVI", "mpegts": "TS"}
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


def container_of(start: bytes) -> str | None:
    """Return the container of a file from its first 512 bytes; None if it is not accepted."""
    if start[4:8] in {b"ftyp", b"moov", b"mdat", b"wide", b"free"}:
        return "mov"
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "avi"
    if len(start) > 188 and start[0] == start[188] == 0x47:
        return "mpegts"
    return None
