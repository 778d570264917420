"""The zones that a person entered, and the counting lines that they crossed with the direction."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from contract.cameras.layout import MOST_SHAPES
from contract.people.people import Direction
from worker.saved_state import MOST_EVENTS, FrozenRecord, Moment, Name, Place, Record


class Crossing(FrozenRecord, frozen=True):
    """A person crossed one of the camera's counting lines."""

    at_s: Moment
    line: Name
    direction: Direction


class Passage(Record):
    """One person's way through a camera's zones and lines; empty for a camera without any."""

    zones: Annotated[list[Name], Meta(max_length=MOST_SHAPES)] = field(default_factory=list)
    """Names of the zones entered, in order."""
    crossings: Annotated[list[Crossing], Meta(max_length=MOST_EVENTS)] = field(default_factory=list)
    beside: Annotated[dict[Name, Place], Meta(max_length=2 * MOST_SHAPES)] = field(
        default_factory=dict
    )
    """For each line, by name, the last place clearly on one side of it; pixels."""
