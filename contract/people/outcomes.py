"""The outcome of one analysed frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract.people.faces import FrameFaces
from contract.people.minutes import (
    MinuteIncrements,
)
from contract.people.people import Person
from contract.people.totals import Increments
from contract.traces import Trace


@dataclass(frozen=True)
class ConditionRecord:
    """A camera's condition, for other processes and for the next owner."""

    report: str
    """A `contract.cameras.quality.QualityReport`, encoded."""
    state: str


@dataclass(frozen=True)
class Outcome:
    """Everything that one step of a camera changes."""

    sequence: int
    """The newest frame that this outcome accounts for."""
    explained: int
    """Frames since the last commit that `increments` account for, analysed or dropped."""
    increments: Increments
    tracker_state: str
    faces: FrameFaces | None = None
    """None if frames were only dropped, or tracks ended because frames stopped."""
    annotated_jpeg: bytes = b""
    people: tuple[Person, ...] = ()
    """The people counted with this outcome; `increments` has their numbers. Each is added to the
    minute of the last sighting, and kept as a row."""
    flush: bool = False
    """Whether this ends the tracks of a camera that stopped sending; may repeat the last
    sequence."""
    minutes: MinuteIncrements = field(default_factory=MinuteIncrements)
    """Amounts to add to the camera's minutes."""
    condition: ConditionRecord | None = None
    """The new condition of the camera; None leaves the stored one."""
    trace: Trace = ""
    """The trace of a traced frame, which travels with its picture to viewers."""


@dataclass(frozen=True)
class Committed:
    """The committed state from which a camera's new owner continues."""

    sequence: int = 0
    """The newest committed or dropped frame; 0 before the first."""
    tracker_state: str = ""
    analysed_at_s: float | None = None
    """When the newest analysed frame was captured; None before the first."""
    condition_state: str = ""
