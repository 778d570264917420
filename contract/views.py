"""An annotated picture, as a worker leaves it for those who watch, and in which sizes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from contract.errors import MessageError
from contract.verdicts import Verdict

VIEW_EXPIRE_S: Final = 10
SMALL_VIEW_WIDTH: Final = 640
"""Width in pixels that a camera is drawn in while it is looked at in small pictures only."""
LARGE_VIEW_WIDTH: Final = 1280
WATCHED_EXPIRE_S: Final = 1.0
"""After the last viewer left, a camera is drawn for this long and half a second more at most."""


@dataclass(frozen=True)
class View:
    """An annotated frame, as the dashboard shows it."""

    camera_id: str
    stream_id: bytes
    sequence: int
    captured_at_s: float
    jpeg: bytes
    counts: dict[Verdict, int]

    @classmethod
    def decode(cls, camera_id: str, stream_id: bytes, fields: dict[bytes, bytes]) -> View:
        """Read an entry of a camera's view stream; raise `MessageError` if it is not one."""
        try:
            return cls(
                camera_id,
                stream_id,
                int(fields[b"seq"]),
                float(fields[b"at"]),
                fields[b"jpeg"],
                json.loads(fields[b"faces"]),
            )
        except (KeyError, ValueError) as error:
            raise MessageError(f"a view of camera {camera_id} cannot be read: {error}") from error
