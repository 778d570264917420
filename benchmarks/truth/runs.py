"""The worker's analysis of a clip, on each path and at each rate, from one decoding of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.clip_truth import ClipTruth
from benchmarks.scenes.offline import OfflineCamera
from benchmarks.truth.films import BEGIN_S, frames
from benchmarks.truth.matching import Sighting, answers, noticed_after_s, sightings
from benchmarks.truth.scores import ClipScore
from contract.cameras.camera import make_camera
from contract.cameras.detector_width import DetectorWidth
from contract.people.faces import FrameFaces
from runtime.video.sampler import Sampler
from worker.analysis import DEFAULT_BUDGET
from worker.budget import Budget
from worker.networks import Networks
from worker.uploads.recordings import BUDGET

PATHS = {"live": DEFAULT_BUDGET, "recording": BUDGET}
"""How frames come to be analysed: those of a camera, and those of an uploaded recording."""


@dataclass(frozen=True)
class Way:
    """A path and a rate."""

    path: str
    fps: float

    def __str__(self) -> str:
        return f"{self.path} {self.fps:g} fps"

    @property
    def budget(self) -> Budget:
        return PATHS[self.path]


@dataclass
class Run:
    """One analysis of one clip, for all ways that come to the same."""

    ways: list[Way]
    camera: OfflineCamera
    sampler: Sampler
    faces: list[tuple[int, float, FrameFaces]] = field(default_factory=list)
    """Frames by number and seconds."""

    def score(
        self, truth: ClipTruth, times_s: npt.NDArray[np.float64]
    ) -> tuple[ClipScore, list[Sighting]]:
        """Compare what was counted with the truth. times_s: `(frames,)` of the clip."""
        people = self.camera.end().people
        seen = sightings(truth, self.faces)
        changes = [
            change
            for person in truth.people
            for change in noticed_after_s(person, [s for s in seen if s.who == person.who], times_s)
        ]
        return ClipScore(truth, tuple(answers(truth, people, seen)), tuple(changes)), seen


def analyse_clip(
    networks: Networks, name: str, ways: Sequence[Way], detector_width: DetectorWidth = None
) -> tuple[list[Run], npt.NDArray[np.float64]]:
    """Analyse a clip in all `ways`; returns the runs and the times of the clip's frames."""
    camera = make_camera(name="scene", source="demo:", detector_width=detector_width)
    alike: dict[tuple[Budget, float], list[Way]] = {}
    for way in ways:
        alike.setdefault((way.budget, way.fps), []).append(way)
    runs = [
        Run(same, OfflineCamera(networks, camera, budget), Sampler(fps))
        for (budget, fps), same in alike.items()
    ]
    times_s = []
    for frame in frames(name):
        times_s.append(frame.time_s)
        for run in runs:
            if run.sampler.wants(frame.time_s):
                faces = run.camera.take(BEGIN_S + frame.time_s, frame.image)
                if faces:
                    run.faces.append((frame.number, frame.time_s, faces))
    return runs, np.array(times_s)
