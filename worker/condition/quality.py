"""Decides for each frame, in seconds of camera time, whether a camera's picture is reliable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta, field

from contract.cameras.quality import PROBLEMS, Problem
from contract.people.minutes import MinuteIncrements, invalid_column
from worker.condition.focus import ENOUGH, NO_DETAIL, Focus
from worker.condition.picture import PictureMeasures
from worker.condition.repetition import TIMES_SEEN, Repetition
from worker.condition.suspicion import LONGEST_STEP_S, Suspicion
from worker.condition.viewpoint import KnownView, Viewpoint
from worker.saved_state import Amount, Moment, Record

RAISED_AFTER_S: Final[Mapping[Problem, float]] = {  # a frozen picture: as `Repetition` says
    "black": 4.0,
    "covered": 4.0,
    "moved": 3.0,  # and the seconds until the average of the view has become the new one
    "blurred": 4.0,
}
LEAST_DETAIL: Final = 4.0
"""A picture with less detail shows nothing. Real scenes have 21 to 38, the same scenes at an eighth
of their light 3 to 5, and a covered lens at most 1.5 with noise (docs/adr/0013)."""
ENOUGH_DETAIL: Final = 6.0
BLACK_BELOW: Final = 25.0
"""Mean grey value that tells a black picture from a covered lens."""
VIEW_ACCEPTED_AFTER_S: Final = 300.0
"""A moved camera's new view becomes its view after this long. The time until then stays invalid."""
BLUR_ACCEPTED_AFTER_S: Final = 3600.0
"""After this long, a loss of detail becomes usual if enough detail is left for faces."""
_MOST_SPANS: Final = 16


class QualityState(Record):
    """Knowledge of one camera's picture: about 3.4 kB, most of it the view."""

    seen_at_s: Moment | None = None
    suspicions: dict[Problem, Suspicion] = field(default_factory=dict)
    stretches_s: Annotated[list[Amount], Meta(max_length=TIMES_SEEN)] = field(default_factory=list)
    """As `Repetition` has them. The picture that it compares with is not saved."""
    focus: Focus = field(default_factory=Focus)
    view: KnownView | None = None


class CameraQuality:
    """Follows one camera's picture. Feed it frames in order."""

    def __init__(self, state: QualityState | None = None) -> None:
        """Continue from `state`, which this object then owns; without one, start afresh."""
        self._state = state = state or QualityState()
        self._focus = state.focus
        self._repetition = Repetition(state.stretches_s)
        self._viewpoint = Viewpoint(state.view)
        for problem in PROBLEMS:
            state.suspicions.setdefault(problem, Suspicion())
        self._frozen_after_s = self._repetition.frozen_after_s
        self._spans: list[tuple[float, float]] = []
        """Analysed time since the oldest suspicion began, not yet counted as invalid."""

    @property
    def state(self) -> QualityState:
        """All that a successor needs, as of now."""
        self._state.view = self._viewpoint.known
        return self._state

    @property
    def seen_at_s(self) -> float | None:
        """When the newest frame that was looked at was captured; None before the first."""
        return self._state.seen_at_s

    @property
    def problems(self) -> Mapping[Problem, float]:
        """The current problems, and the beginning of each in seconds since the epoch."""
        return {
            problem: suspicion.began_s
            for problem in PROBLEMS  # whose order decides which problem time is counted under
            if (suspicion := self._state.suspicions[problem]).raised
            and suspicion.began_s is not None
        }

    @property
    def problem(self) -> Problem | None:
        """The problem that invalid time is counted under; None while all is well."""
        return next(iter(self.problems), None)

    def forget_view(self) -> None:
        """Learn the view anew: the picture is turned, stretched or another from here on."""
        self._viewpoint = Viewpoint()
        self._focus.forget()
        self._state.suspicions["moved"].drop()

    def see(self, measured: PictureMeasures, time_s: float) -> None:
        """Take in a frame captured at `time_s`."""
        step_s = 0.0
        if self.seen_at_s is not None:
            step_s = min(max(time_s - self.seen_at_s, 0.0), LONGEST_STEP_S)
        self._state.seen_at_s = time_s
        for problem, bad in self._judge(measured, time_s, step_s).items():
            raised_after_s = RAISED_AFTER_S.get(problem, self._frozen_after_s)
            self._state.suspicions[problem].weigh(bad, time_s, step_s, raised_after_s)
        self._accept_what_stays(measured, time_s)

    def count_invalid(self, from_s: float, to_s: float, minutes: MinuteIncrements) -> None:
        """Count analysed time in `minutes` if it was invalid.

        Time under suspicion is kept and counted when the suspicion is raised. A picture that is
        found to be frozen in its tenth second was frozen from the first.
        """
        if self._spans and self._spans[-1][1] == from_s:
            self._spans[-1] = (self._spans[-1][0], to_s)
        else:
            self._spans = [*self._spans, (from_s, to_s)][-_MOST_SPANS:]
        problem = self.problem
        if problem is not None:
            began_s = self.problems[problem]
            for start_s, end_s in self._spans:
                minutes.add_span(max(start_s, began_s), end_s, invalid_column(problem))
            self._spans = []
        elif all(suspicion.began_s is None for suspicion in self._state.suspicions.values()):
            self._spans = []

    def _judge(
        self, measured: PictureMeasures, time_s: float, step_s: float
    ) -> dict[Problem, bool | None]:
        """Whether the frame shows each problem; None where it does not tell."""
        nothing = measured.detail < LEAST_DETAIL
        something = measured.detail > ENOUGH_DETAIL
        dark = measured.brightness < BLACK_BELOW
        found: dict[Problem, bool | None] = {
            "black": nothing and dark if nothing or something else None,
            "covered": nothing and not dark if nothing or something else None,
            "frozen": None,
            "moved": None,
            "blurred": None,
        }
        if not something:
            return found
        found["frozen"] = self._frozen(measured, time_s)
        if not self._state.suspicions["frozen"].raised:
            found["moved"] = self._viewpoint.see(measured.edges, step_s)
            found["blurred"] = self._focus.blurred(measured.sharpness)
            if found["blurred"] is False and self._state.suspicions["moved"].began_s is None:
                self._focus.learn(measured.sharpness, step_s)
        return found

    def _frozen(self, measured: PictureMeasures, time_s: float) -> bool | None:
        suspicion = self._state.suspicions["frozen"]
        same = self._repetition.same(measured.grid, time_s)
        before_s, self._frozen_after_s = self._frozen_after_s, self._repetition.frozen_after_s
        # Take back at once what was raised before the camera's usual stretches were known.
        if self._frozen_after_s > before_s or (same is False and not suspicion.raised):
            suspicion.drop()
        return same

    def _accept_what_stays(self, measured: PictureMeasures, time_s: float) -> None:
        moved, blurred = self._state.suspicions["moved"], self._state.suspicions["blurred"]
        if moved.raised and time_s - (moved.began_s or time_s) >= VIEW_ACCEPTED_AFTER_S:
            self._viewpoint.accept()
            self._focus.forget()
            moved.drop()
        lasted_s = time_s - (blurred.began_s or time_s)
        enough = measured.sharpness - NO_DETAIL > ENOUGH
        if blurred.raised and enough and lasted_s >= BLUR_ACCEPTED_AFTER_S:
            self._focus.forget()
            blurred.drop()
