"""An annotated picture that a worker draws for viewers, and its sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from contract.errors import MessageError
from contract.messages import Count, checked, read_count, read_json, read_moment
from contract.people.verdicts import VERDICTS, Verdict
from contract.pictures.frames import MAX_JPEG_BYTES
from contract.traces import Trace, read_trace

SCHEMA: Final = b"2"
"""Version of the message. Since version 2 the picture is encrypted."""

VIEW_EXPIRE_S: Final = 10
SMALL_VIEW_WIDTH: Final = 640
"""Width in pixels of a camera's picture while all its viewers show it small."""
LARGE_VIEW_WIDTH: Final = 1280
WATCHED_EXPIRE_S: Final = 1.0
"""Seconds for which a camera counts as watched after a viewer's last renewal."""


@dataclass(frozen=True)
class View:
    """An annotated frame, as the dashboard shows it."""

    camera_id: str
    stream_id: bytes
    sequence: int
    captured_at_s: float
    jpeg: bytes
    counts: dict[Verdict, int]
    trace: Trace = ""
    """Set for the few frames that are traced through all stages; older processes ignore it."""

    @classmethod
    def decode(cls, camera_id: str, stream_id: bytes, fields: dict[bytes, bytes]) -> View:
        """Read a view's entry and decrypt its picture; raise `MessageError` if it is not one."""
        what = f"a view of camera {camera_id}"
        try:
            if fields[b"v"] != SCHEMA:
                raise MessageError(
                    f"{what} has schema {fields[b'v'][:20]!r}, expected {SCHEMA!r}: "
                    "upgrade workers and dashboard together"
                )
            jpeg = fields[b"jpeg"]
            if not 0 < len(jpeg) <= MAX_JPEG_BYTES:
                raise MessageError(f"{what}: {len(jpeg)} bytes, expected 1 to {MAX_JPEG_BYTES}")
            counts = checked(_COUNTS, read_json(fields[b"faces"], what), what)
            return cls(
                camera_id,
                stream_id,
                read_count(fields[b"seq"]),
                read_moment(fields[b"at"]),
                jpeg,
                {verdict: counts.get(verdict, 0) for verdict in VERDICTS},
                read_trace(fields.get(b"trace")),
            )
        except (KeyError, ValueError) as error:
            if isinstance(error, MessageError):
                raise
            raise MessageError(f"{what} cannot be read: {error!r:.120}") from error


_COUNTS: Final = TypeAdapter(dict[Verdict, Count])
