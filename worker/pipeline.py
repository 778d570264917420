"""From frames to outcomes: detect, track, classify, fold."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from contract.people.outcomes import Outcome
from runtime.tracing import OFF, Tracing
from worker.analysis import DEFAULT_BUDGET, Analyser
from worker.budget import Budget
from worker.frame import DetectedFrame, TakenFrame, TrackedFrame
from worker.networks import Networks
from worker.session import CameraSession

Sessions = Mapping[str, CameraSession]
"""By camera id."""


class Pipeline:
    """Analyses batches of frames and folds the results into their cameras' sessions.

    Belongs to one thread.
    """

    def __init__(
        self,
        networks: Networks,
        clock: Callable[[], float] = time.time,
        budget: Budget = DEFAULT_BUDGET,
        tracing: Tracing = OFF,
    ) -> None:
        self._analyser = Analyser(networks, budget, tracing)
        self._clock = clock
        self._tracing = tracing

    def run(
        self, sessions: Sessions, batch: Sequence[TakenFrame], watched: Mapping[str, int]
    ) -> list[tuple[CameraSession, Outcome]]:
        """Return each frame's outcome, drawn as well where its camera id is in `watched`.

        `watched` has the width in pixels that a camera is looked at in. A frame whose detector is
        missing is dropped.
        """
        cameras = {frame.camera.id for frame in batch}
        widths_px = {camera: sessions[camera].detector_width_px for camera in cameras}
        detected = self._analyser.detect(self._possible(sessions, batch), widths_px)
        tracked = [self._track(sessions, frame) for frame in detected]
        looks = self._analyser.classify(tracked)
        outcomes = []
        for frame, its_looks in zip(tracked, looks, strict=True):
            session = sessions[frame.taken.camera.id]
            width = None if frame.taken.late else watched.get(session.camera.id)
            outcomes.append((session, session.fold(frame, its_looks, self._clock(), width)))
        return outcomes

    def _possible(self, sessions: Sessions, batch: Sequence[TakenFrame]) -> list[TakenFrame]:
        possible = []
        for frame in batch:
            if self._analyser.can_analyse(frame):
                possible.append(frame)
            else:
                sessions[frame.camera.id].backlog.drop(frame.message, "no_network")
        return possible

    def _track(self, sessions: Sessions, frame: DetectedFrame) -> TrackedFrame:
        with self._tracing.span([frame.taken.message.trace], "track"):
            return sessions[frame.taken.camera.id].track(frame)
