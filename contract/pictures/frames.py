"""A sampled frame that travels from ingest to a worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contract.errors import MessageError
from contract.messages import read_count, read_moment
from contract.traces import Trace, read_trace

SCHEMA: Final = b"2"
"""Version of the message. Since version 2 the picture is encrypted."""
MAX_JPEG_BYTES: Final = 16 * 1024 * 1024
MAX_FRAME_PIXELS: Final = 7680 * 7680
"""Most pixels of a frame: the largest width that a camera may have, squared."""


@dataclass(frozen=True)
class FrameMessage:
    """One sampled frame, as a worker reads it."""

    camera_id: str
    stream_id: bytes
    sequence: int
    """Number of the frame among the camera's published frames, from 1, without gaps."""
    frame_index: int
    """Number of the frame among all frames of the camera, from 0."""
    captured_at_s: float
    """Seconds since the epoch when the frame arrived at ingest."""
    jpeg: bytes
    trace: Trace = ""
    """Set for the few frames that are traced through all stages; older processes ignore it."""

    @classmethod
    def decode(cls, camera_id: str, stream_id: bytes, fields: dict[bytes, bytes]) -> FrameMessage:
        """Read an entry and decrypt its picture; raise `MessageError` if it is not a frame."""
        try:
            if fields[b"v"] != SCHEMA:
                raise MessageError(
                    f"frame schema {fields[b'v'][:20]!r}, expected {SCHEMA!r}: "
                    "upgrade ingest and workers together"
                )
            jpeg = fields[b"jpeg"]
            if not 0 < len(jpeg) <= MAX_JPEG_BYTES:
                raise MessageError(f"a JPEG of {len(jpeg)} bytes, expected 1 to {MAX_JPEG_BYTES}")
            return cls(
                camera_id,
                stream_id,
                read_count(fields[b"seq"]),
                read_count(fields[b"index"]),
                read_moment(fields[b"at"]),
                jpeg,
                read_trace(fields.get(b"trace")),
            )
        except (KeyError, ValueError) as error:
            if isinstance(error, MessageError):
                raise
            raise MessageError(
                f"entry {stream_id.decode()} in the frames of camera {camera_id} is not a frame: "
                f"{type(error).__name__} {str(error)[:80]}"
            ) from error
