"""The worker's analyser over frames that are made on the spot, without ingest and Redis.

Faster than real time, and frame for frame the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bus.leases import Lease
from contract.cameras.camera import Camera, make_camera
from contract.people.faces import FrameFaces
from contract.people.people import Person
from contract.people.totals import Increments
from contract.pictures.frames import FrameMessage
from worker.analysis import DEFAULT_BUDGET, Analyser
from worker.budget import Budget
from worker.camera import OwnedCamera
from worker.intake import TakenFrame
from worker.networks import Networks
from worker.tracking.tracker import Tracker

Image = npt.NDArray[np.uint8]
NOBODY: dict[str, int] = {}


@dataclass
class Analysed:
    """What the analyser made of a camera's frames."""

    people: list[Person] = field(default_factory=list)
    totals: Increments = field(default_factory=Increments)
    frames: list[FrameFaces] = field(default_factory=list)
    """Each frame's faces, with their tracks."""

    @property
    def faces(self) -> int:
        """Detections in all frames."""
        return sum(len(frame.faces) for frame in self.frames)

    def total(self, of: str) -> float:
        """One of the totals the worker would have committed."""
        return dict(self.totals.items()).get(of, 0.0)


def analyse(
    networks: Networks,
    timed_frames: Iterable[tuple[float, Image]],
    camera: Camera | None = None,
    budget: Budget = DEFAULT_BUDGET,
) -> Analysed:
    """Return what a worker would commit for these frames, and for their end.

    timed_frames: capture times in seconds since the epoch, and `(H, W, 3)` uint8 BGR frames.
    """
    camera = camera or make_camera(name="scene", source="demo:")
    owned = OwnedCamera(camera, Lease(camera.id, "worker", "benchmark", 1), 0, Tracker())
    analyser, seen = Analyser(networks, budget=budget), Analysed()
    for number, (time_s, image) in enumerate(timed_frames, start=1):
        message = FrameMessage(camera.id, b"", number, number, time_s, b"")
        for _, outcome in analyser.analyse([TakenFrame(owned, message, image)], NOBODY):
            _add(seen, outcome.people, outcome.increments)
            if outcome.faces:
                seen.frames.append(outcome.faces)
    outcome = analyser.flush(owned)
    _add(seen, outcome.people, outcome.increments)
    return seen


def _add(seen: Analysed, people: Iterable[Person], increments: Increments) -> None:
    seen.people += people
    for name, amount in increments.items():
        seen.totals.add(name, amount)
