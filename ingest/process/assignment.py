"""What a reader is to do."""

from __future__ import annotations

from dataclasses import dataclass

from bus.clock import SharedClock
from bus.leases import Lease
from contract.cameras.camera import Camera
from runtime.settings import Settings


@dataclass(frozen=True)
class Assignment:
    """What a reader is to do."""

    camera: Camera
    lease: Lease
    settings: Settings
    reconnects: int
    """Connections already begun for this camera by readers before this one."""
    clock: SharedClock
    """As the service knows it; the reader keeps its own from then on."""
