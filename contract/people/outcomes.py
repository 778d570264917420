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
    """What is known of a camera itself: for others, and for the worker's successor."""

    report: str
    """A `contract.cameras.quality.QualityReport`, encoded."""
    state: str


@dataclass(frozen=True)
class Outcome:
    """Everything one step of a camera changes."""

    sequence: int
    """The newest frame this outcome accounts for."""
    explained: int
    """Frames since the last commit that `increments` account for, analysed or dropped."""
    increments: Increments
    tracker_state: str
    faces: FrameFaces | None = None
    """None when frames were only dropped, or tracks ended because frames stopped."""
    annotated_jpeg: bytes = b""
    people: tuple[Person, ...] = ()
    """Those who were counted with this outcome; `increments` has their numbers. They enter the
    minutes in which each was last seen, and are kept as rows."""
    flush: bool = False
    """Ends the tracks of a camera that went quiet; may repeat the last sequence."""
    minutes: MinuteIncrements = field(default_factory=MinuteIncrements)
    """What this adds to the camera's minutes."""
    condition: ConditionRecord | None = None
    """What became known of the camera; None leaves what is there."""
    trace: Trace = ""
    """Of a frame that is followed: goes with its picture to those who look."""


@dataclass(frozen=True)
class Committed:
    """What a camera's new owner starts from."""

    sequence: int = 0
    """The newest frame committed, or dropped; 0 before the first."""
    tracker_state: str = ""
    analysed_at_s: float | None = None
    """When the newest analysed frame was captured; None before the first."""
    condition_state: str = ""
