"""An uploaded recording and its report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from contract.messages import Moment, Share, checked, read_versioned

SCHEMA: Final = 1
TAKEN: Final = (
    "MP4, MOV, MKV, WebM, AVI, TS, M2TS, MPEG-PS, FLV, WMV, DAV, MXF, OGG, IVF, or a raw H.264, "
    "H.265, MPEG or Motion JPEG stream"
)
"""The recordings that are taken. `runtime.video.streams` has FFmpeg's names for them."""


@dataclass(frozen=True)
class Recording:
    """One uploaded recording."""

    id: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    """Also part of the files' names."""
    owner: str
    name: str
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
_SIGNS: Final = {
    b"\x89PNG": "a picture",
    b"GIF8": "a picture",
    b"%PDF": "a document",
    b"PK\3\4": "an archive",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"\x7fELF": "a program",
    b"ID3": "sound",
    b"fLaC": "sound",
}
_BREAKS: Final = frozenset("\t\n\r\f")


def what_instead(start: bytes) -> str:
    r"""Return what a file is that is surely no recording, from its first `FIRST_BYTES`.

    Empty for everything else, which FFmpeg judges, in a process that may fail.

    >>> what_instead(b"#EXTM3U"), what_instead(b"DHAV\xfd")
    ('a text', '')
    """
    known = next((what for sign, what in _SIGNS.items() if start.startswith(sign)), "")
    if known or (start[:4] == b"RIFF" and start[8:12] in {b"WAVE", b"WEBP"}):
        return known or ("sound" if start[8:12] == b"WAVE" else "a picture")
    # The last character may be cut.
    text = start[:FIRST_BYTES].decode(errors="ignore")
    whole = len(text.encode()) >= min(len(start), FIRST_BYTES) - 3
    return "a text" if whole and all(c.isprintable() or c in _BREAKS for c in text) else ""
