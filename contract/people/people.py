"""A finished person, as it is counted and kept, and why a track was nobody."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from contract.messages import Count, Moment, Pixels, Share, checked, read_versioned, to_json
from contract.people.verdicts import Verdict

SCHEMA: Final = 1

Direction = Literal["in", "out"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("in", "out")

DiscardCause = Literal["flicker", "duplicate", "static", "outside_zone"]
DISCARD_CAUSES: Final[tuple[DiscardCause, ...]] = (
    "flicker",
    "duplicate",
    "static",
    "outside_zone",
)
"""Why a track that ended was not counted as a person.

`flicker` seen too seldom or too briefly; `duplicate` a second box
on somebody's face; `static` a picture of a face: a poster, a screen, a dummy; `outside_zone` the
camera has zones and this person entered none.
"""


@dataclass(frozen=True)
class LineCrossing:
    """Somebody crossed one of the camera's counting lines."""

    at_s: Moment
    line: str
    direction: Direction


@dataclass(frozen=True)
class VerdictChange:
    """Somebody put a mask on, took it off or moved it, in view."""

    at_s: Moment
    before: Verdict
    after: Verdict


@dataclass(frozen=True)
class Person:
    """Somebody who has gone and was counted, once. Times are the camera's, since the epoch."""

    track_id: Count
    """Unique among the people of one camera for as long as its tracker's state lives."""
    first_seen_s: Moment
    last_seen_s: Moment
    sightings: Count
    """Frames in which the face was found."""
    best_face_px: Pixels
    """Height of the face where it was largest."""
    verdict: Verdict
    """How they were for most of the time they could be judged."""
    confidence: Share
    """Mean probability of the verdict while it was so, 0 to 1; 0 when `unknown`."""
    judged_s: Moment
    """Seconds of evidence behind the verdict; a second of a poor view counts as less."""
    crossings: tuple[LineCrossing, ...] = ()
    zones: tuple[str, ...] = ()
    """Names of the camera's zones that were entered."""
    changes: tuple[VerdictChange, ...] = ()
    v: int = SCHEMA

    def encode(self) -> str:
        return to_json(asdict(self))

    @classmethod
    def decode(cls, raw: bytes | str) -> Person:
        """Read what `encode` wrote; raise `MessageError` for anything else."""
        return checked(_ADAPTER, read_versioned(raw, SCHEMA, _WHAT), _WHAT)


_WHAT: Final = "a person"
_ADAPTER: Final = TypeAdapter(Person)
