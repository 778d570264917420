"""A finished person, as counted and stored, and the causes for discarding a track."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal

from pydantic import TypeAdapter

from contract.messages import Count, Moment, Pixels, Share, checked, read_versioned, to_json
from contract.people.verdicts import Verdict

SCHEMA: Final = 1

LEAST_CONFIDENCE: Final = 0.9
"""Default of `MASKWATCH_LEAST_CONFIDENCE`: below this chance of being right, a person's verdict is
`unknown`. On 19 real clips 1.7 % of the verdicts above it are wrong (ADR 0056)."""

Direction = Literal["in", "out"]
DIRECTIONS: Final[tuple[Direction, ...]] = ("in", "out")

DiscardCause = Literal["flicker", "duplicate", "static", "no_face", "outside_zone"]
DISCARD_CAUSES: Final[tuple[DiscardCause, ...]] = (
    "flicker",
    "duplicate",
    "static",
    "no_face",
    "outside_zone",
)
"""Causes for discarding an ended track.

`flicker`: seen in too few frames or too briefly; `duplicate`: a second box on the same face;
`static`: a picture of a face, such as a poster, a screen or a dummy; `no_face`: the detector was
unsure of it and the classifier could hardly judge it, such as a hand or the back of a head;
`outside_zone`: the camera has zones, and this person entered none of them.
"""


@dataclass(frozen=True)
class LineCrossing:
    """A person crossed one of the camera's counting lines."""

    at_s: Moment
    line: str
    direction: Direction


@dataclass(frozen=True)
class VerdictChange:
    """A person put on, took off or moved a mask in view."""

    at_s: Moment
    before: Verdict
    after: Verdict


@dataclass(frozen=True)
class Person:
    """A person who has left and was counted once. Times are camera time, since the epoch."""

    track_id: Count
    """Unique among the people of one camera for as long as its tracker's state lives."""
    first_seen_s: Moment
    last_seen_s: Moment
    sightings: Count
    """Frames in which the face was found."""
    best_face_px: Pixels
    """Largest height of the face, in pixels."""
    verdict: Verdict
    """The verdict for most of the time that could be judged."""
    confidence: Share
    """Chance that the verdict is right, 0 to 1; 0 if `unknown`."""
    judged_s: Moment
    """Seconds of evidence behind the verdict; a second of a poor view counts for less."""
    crossings: tuple[LineCrossing, ...] = ()
    zones: tuple[str, ...] = ()
    """Names of the zones that the person entered."""
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
