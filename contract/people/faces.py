"""The faces in a frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from contract.messages import Count, Moment, Pixels, Share, Side, checked, read_versioned, to_json
from contract.people.verdicts import VERDICTS, Verdict

SCHEMA: Final = 1


@dataclass(frozen=True)
class Face:
    """One face in one frame."""

    box: tuple[Pixels, Pixels, Pixels, Pixels]
    """`x_min, y_min, x_max, y_max` in pixels of the frame, origin top-left, max exclusive."""
    score: Share
    """The detector's confidence that this is a face, 0 to 1."""
    verdict: Verdict
    """The track's verdict so far."""
    confidence: Share
    """The verdict's confidence, 0 to 1; 0 if `unknown`."""
    track_id: Count


@dataclass(frozen=True)
class FrameFaces:
    """The faces in one frame."""

    camera_id: str
    sequence: Count
    frame_index: Count
    captured_at_s: Moment
    analysed_at_s: Moment
    width: Side
    height: Side
    detector: str
    faces: tuple[Face, ...]
    v: int = SCHEMA

    def counts(self) -> dict[Verdict, int]:
        """Return the number of faces in view for each verdict."""
        return count_verdicts(self.faces)

    def encode(self) -> str:
        # Not `asdict`: it copies every number, a tenth of a worker's own time for a frame.
        return to_json({**vars(self), "faces": [vars(face) for face in self.faces]})

    @classmethod
    def decode(cls, raw: bytes | str) -> FrameFaces:
        """Read what `encode` wrote; raise `MessageError` for anything else."""
        return checked(_ADAPTER, read_versioned(raw, SCHEMA, _WHAT), _WHAT)


_WHAT: Final = "a frame's faces"
_ADAPTER: Final = TypeAdapter(FrameFaces)


def count_verdicts(faces: tuple[Face, ...]) -> dict[Verdict, int]:
    """Return the number of faces for each verdict, in the order of `VERDICTS`."""
    return {verdict: sum(face.verdict == verdict for face in faces) for verdict in VERDICTS}
