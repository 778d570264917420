"""The condition of one camera: its picture's quality and its fitness, committed with its frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.cameras.quality import QualityReport
from contract.errors import MessageError
from contract.messages import to_json
from contract.people.minutes import MinuteIncrements
from contract.people.outcomes import ConditionRecord
from contract.people.people import Person
from worker.condition.fitness import FitnessLearner
from worker.condition.picture import look_at
from worker.condition.quality import CameraQuality
from worker.saved_state import read_condition

Image = npt.NDArray[np.uint8]

SCHEMA: Final = 1
LOOK_EVERY_S: Final = 0.09
"""Faster cameras are looked at about ten times a second: what is looked for lasts for seconds, and
a look takes 1 ms of a 1920x1080 frame's 32."""
WRITTEN_EVERY_S: Final = 5.0
"""What a camera learns changes slowly, and is 3 kB: what a takeover forgets of it is less than
this. What is wrong with the camera is committed with the frame that shows it."""


class CameraCondition:
    """What a worker knows of a camera beyond the people in view."""

    def __init__(self) -> None:
        self.quality = CameraQuality()
        self.fitness = FitnessLearner()
        self._written_at_s = 0.0
        self._written = QualityReport()

    def see(self, image: Image, time_s: float) -> None:
        """Take in a frame, `(H, W, 3)` uint8 BGR, captured at `time_s`."""
        seen_at_s = self.quality.seen_at_s
        if seen_at_s is None or not 0 <= time_s - seen_at_s < LOOK_EVERY_S:
            self.quality.look(look_at(image), time_s)

    def count_invalid(self, from_s: float, to_s: float, minutes: MinuteIncrements) -> None:
        """Count analysed time in `minutes` if what was counted in it is not to be believed."""
        self.quality.count_invalid(from_s, to_s, minutes)

    def look_at_face(self, crop: Image, frontality: float, sharpness: float) -> None:
        """Learn from a face that was looked at for its mask; crop: `(S, S, 3)` uint8 BGR."""
        if not self.quality.problems:
            self.fitness.look(float(crop.mean()), frontality, sharpness)

    def learn(self, counted: Iterable[Person]) -> None:
        """Learn from people who were counted, unless the picture is not to be believed."""
        if not self.quality.problems:
            for person in counted:
                self.fitness.person(person.best_face_px, person.verdict)

    def take_record(self, time_s: float) -> ConditionRecord | None:
        """What the frame of `time_s` is to commit; None while next to nothing has changed."""
        report = QualityReport(self.quality.problems, self.fitness.report())
        due = abs(time_s - self._written_at_s) >= WRITTEN_EVERY_S
        if not due and report.problems == self._written.problems:
            return None
        self._written_at_s, self._written = time_s, report
        return ConditionRecord(report.encode(), self._encode())

    def _encode(self) -> str:
        return to_json(
            {"v": SCHEMA, "quality": self.quality.encode(), "fitness": self.fitness.encode()}
        )

    @classmethod
    def decode(cls, state: str) -> CameraCondition:
        """Return what wrote `state`; a new one for an empty string.

        Raises:
            MessageError: `state` is not one of ours.
        """
        condition = cls()
        if not state:
            return condition
        try:
            record = read_condition(state, SCHEMA)
            condition.quality.restore(record["quality"])
            condition.fitness.restore(record["fitness"])
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, MessageError):
                raise
            raise MessageError(f"a camera's condition cannot be read: {error}") from error
        return condition
