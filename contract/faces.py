"""What was found in a frame."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from contract.errors import MessageError
from contract.frames import to_json
from contract.verdicts import VERDICTS, Verdict

SCHEMA: Final = 1


@dataclass(frozen=True)
class Face:
    """One face in one frame."""

    box: tuple[float, float, float, float]
    """`x_min, y_min, x_max, y_max` in pixels of the frame, origin top-left, max exclusive."""
    score: float
    """The detector's confidence that this is a face, 0 to 1."""
    verdict: Verdict
    """The track's verdict so far."""
    confidence: float
    """How sure the verdict is, 0 to 1; 0 when `unknown`."""
    track_id: int


@dataclass(frozen=True)
class FrameFaces:
    """What was found in one frame."""

    camera_id: str
    sequence: int
    frame_index: int
    captured_at_s: float
    analysed_at_s: float
    width: int
    height: int
    detector: str
    faces: tuple[Face, ...]
    v: int = SCHEMA

    def counts(self) -> dict[Verdict, int]:
        """Faces in view by verdict; every verdict is there."""
        return count_verdicts(self.faces)

    def encode(self) -> str:
        # Not `asdict`, which copies every number deeply: a tenth of what a worker adds to a frame.
        return to_json({**vars(self), "faces": [vars(face) for face in self.faces]})

    @classmethod
    def decode(cls, raw: bytes | str) -> FrameFaces:
        """Read what `encode` wrote; raise `MessageError` for anything else."""
        try:
            record = json.loads(raw)
            if record["v"] != SCHEMA:
                raise MessageError(f"faces schema {record['v']!r}, expected {SCHEMA}")
            faces = tuple(
                Face(**{**face, "box": tuple(map(float, face["box"]))})
                for face in record.pop("faces")
            )
            return cls(**record, faces=faces)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, MessageError):
                raise
            raise MessageError(f"a frame's faces cannot be read: {error}") from error


def count_verdicts(faces: tuple[Face, ...]) -> dict[Verdict, int]:
    """Faces by verdict; every verdict is there, in the fixed order."""
    return {verdict: sum(face.verdict == verdict for face in faces) for verdict in VERDICTS}
