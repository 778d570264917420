"""The task of a reader."""

from __future__ import annotations

from dataclasses import dataclass

from bus.clock import SharedClock
from bus.members.leases import Lease
from contract.cameras.camera import Camera
from runtime.settings import Settings


@dataclass(frozen=True)
class Assignment:
    """The task of a reader."""

    camera: Camera
    lease: Lease
    settings: Settings
    reconnects: int
    """Connection attempts of earlier readers of this camera."""
    clock: SharedClock
    """The service's clock; from then on the reader maintains its own."""
