"""The condition of one camera: its picture's quality and its fitness, committed with its frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.cameras.quality import QualityReport
from contract.people.minutes import MinuteIncrements
from contract.people.outcomes import ConditionRecord
from contract.people.people import Person
from worker.condition.fitness import FitnessLearner, FitnessState
from worker.condition.picture import measure
from worker.condition.quality import CameraQuality, QualityState
from worker.former_state import condition_1
from worker.saved_state import SavedState, read_state, write_state

Image = npt.NDArray[np.uint8]

SEEN_EVERY_S: Final = 0.09
"""Seconds between two pictures that are measured. Problems last for seconds, and measuring takes
1 ms of a 1920x1080 frame's 32."""
WRITTEN_EVERY_S: Final = 5.0
"""Seconds between writes of the learnt state, because it changes slowly and has 3 kB. A takeover
forgets less than this. Problems are committed with the frame that shows them."""


class ConditionState(SavedState, tag=2):
    """A successor's knowledge of a camera beyond the people in view."""

    quality: QualityState
    fitness: FitnessState


class CameraCondition:
    """A worker's knowledge of a camera beyond the people in view."""

    def __init__(self, state: ConditionState | None = None) -> None:
        """Continue from `state`, which this object then owns; without one, start afresh."""
        self.quality = CameraQuality(state.quality if state else None)
        self.fitness = FitnessLearner(state.fitness if state else None)
        self._written_at_s = 0.0
        self._written = QualityReport()

    def see(self, image: Image, time_s: float) -> None:
        """Take in a frame, `(H, W, 3)` uint8 BGR, captured at `time_s`."""
        seen_at_s = self.quality.seen_at_s
        if seen_at_s is None or not 0 <= time_s - seen_at_s < SEEN_EVERY_S:
            self.quality.see(measure(image), time_s)

    def count_invalid(self, from_s: float, to_s: float, minutes: MinuteIncrements) -> None:
        """Count analysed time in `minutes` if its picture was unreliable."""
        self.quality.count_invalid(from_s, to_s, minutes)

    def look_at_face(self, brightness: float, frontality: float, sharpness: float) -> None:
        """Learn from a face that was looked at for its mask; see `worker.frame.FaceLook`."""
        if not self.quality.problems:
            self.fitness.look(brightness, frontality, sharpness)

    def learn(self, counted: Iterable[Person]) -> None:
        """Learn from people who were counted, unless the picture is unreliable."""
        if not self.quality.problems:
            for person in counted:
                self.fitness.person(person.best_face_px, person.verdict)

    def take_record(self, time_s: float) -> ConditionRecord | None:
        """Return the record to commit with the frame of `time_s`; None without a notable change."""
        report = QualityReport(self.quality.problems, self.fitness.report())
        due = abs(time_s - self._written_at_s) >= WRITTEN_EVERY_S
        if not due and report.problems == self._written.problems:
            return None
        self._written_at_s, self._written = time_s, report
        state = ConditionState(self.quality.state, self.fitness.state)
        return ConditionRecord(report.encode(), write_state(state))

    @classmethod
    def decode(cls, state: str) -> CameraCondition:
        """Return the condition that wrote `state`; a new one for an empty string.

        Raises:
            MessageError: `state` is not from a known version.
        """
        if not state:
            return cls()
        return cls(read_state(state, ConditionState, condition_1, "a camera's condition"))
