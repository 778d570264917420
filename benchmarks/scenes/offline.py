"""The worker's analyser over frames that are made on the spot, without ingest and Redis.

Faster than real time, and frame for frame the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bus.members.leases import Lease
from contract.cameras.camera import Camera, make_camera
from contract.people.faces import FrameFaces
from contract.people.people import Person
from contract.people.totals import Increments
from contract.pictures.frames import FrameMessage
from worker.analysis import DEFAULT_BUDGET
from worker.budget import Budget
from worker.frame import TakenFrame
from worker.networks import Networks
from worker.pipeline import Pipeline
from worker.session import CameraSession

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


class OfflineCamera:
    """A camera whose frames are handed over one by one, with a tracker of its own."""

    def __init__(
        self,
        networks: Networks,
        camera: Camera | None = None,
        budget: Budget = DEFAULT_BUDGET,
    ) -> None:
        camera = camera or make_camera(name="scene", source="demo:")
        self._session = CameraSession(camera, Lease(camera.id, "worker", "benchmark", 1))
        self._pipeline = Pipeline(networks, budget=budget)
        self._frames = 0
        self.seen = Analysed()

    def take(self, time_s: float, image: Image) -> FrameFaces | None:
        """Analyse a frame, `(H, W, 3)` uint8 BGR, captured at `time_s` since the epoch."""
        self._frames += 1
        number = self._frames
        camera = self._session.camera
        message = FrameMessage(camera.id, b"", number, number, time_s, b"")
        taken, faces = TakenFrame(camera, message, image), None
        for _, outcome in self._pipeline.run({camera.id: self._session}, [taken], NOBODY):
            _add(self.seen, outcome.people, outcome.increments)
            faces = outcome.faces
            if faces:
                self.seen.frames.append(faces)
        return faces

    def end(self) -> Analysed:
        """End all tracks, and return what a worker would have committed."""
        outcome = self._session.flush()
        _add(self.seen, outcome.people, outcome.increments)
        return self.seen


def analyse(
    networks: Networks,
    timed_frames: Iterable[tuple[float, Image]],
    camera: Camera | None = None,
    budget: Budget = DEFAULT_BUDGET,
) -> Analysed:
    """Return what a worker would commit for these frames, and for their end.

    timed_frames: capture times in seconds since the epoch, and `(H, W, 3)` uint8 BGR frames.
    """
    offline = OfflineCamera(networks, camera, budget)
    for time_s, image in timed_frames:
        offline.take(time_s, image)
    return offline.end()


def _add(seen: Analysed, people: Iterable[Person], increments: Increments) -> None:
    seen.people += people
    for name, amount in increments.items():
        seen.totals.add(name, amount)
