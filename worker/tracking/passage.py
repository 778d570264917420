"""Which zones somebody entered, and which counting lines they crossed, which way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from contract.people.people import LineCrossing

Place = tuple[float, float]


@dataclass
class Passage:
    """One person's way through a camera's zones and lines; empty for a camera without any."""

    zones: list[str] = field(default_factory=list)
    """Names of the zones entered, in order."""
    crossings: list[LineCrossing] = field(default_factory=list)
    beside: dict[str, Place] = field(default_factory=dict)
    """For each line, by name, where the person last was clearly on one side; pixels."""

    def encode(self) -> list[Any]:
        """An empty list for whoever met neither zone nor line."""
        if not (self.zones or self.crossings or self.beside):
            return []
        crossings = [[round(c.at_s, 3), c.line, c.direction] for c in self.crossings]
        return [self.zones, crossings, self.beside]

    @classmethod
    def decode(cls, record: list[Any]) -> Passage:
        """Read what `encode` wrote."""
        if not record:
            return cls()
        zones, crossings, beside = record
        return cls(
            list(zones),
            [LineCrossing(*crossing) for crossing in crossings],
            {name: (float(x), float(y)) for name, (x, y) in beside.items()},
        )
