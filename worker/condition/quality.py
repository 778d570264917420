"""Whether a camera's picture can be believed, decided frame by frame in seconds of camera time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contract.cameras.quality import PROBLEMS, Problem
from contract.people.minutes import MinuteIncrements, invalid_column
from worker.condition.focus import ENOUGH, NO_DETAIL, Focus
from worker.condition.picture import Look
from worker.condition.stillness import FROZEN_AFTER_S, Stillness
from worker.condition.suspicion import LONGEST_STEP_S, Suspicion
from worker.condition.viewpoint import Viewpoint

RAISED_AFTER_S: Final[Mapping[Problem, float]] = {
    "black": 4.0,
    "covered": 4.0,
    "frozen": FROZEN_AFTER_S,
    "moved": 3.0,  # and the seconds until the average of the view has become the new one
    "blurred": 4.0,
}
CLEARED_AFTER_S: Final = 3.0
LEAST_DETAIL: Final = 4.0
"""Below this there is nothing to see: measured, 21 to 38 in real scenes, 3 to 5 in the same at an
eighth of their light, at most 1.5 under a cover, noise included (docs/adr/0013)."""
ENOUGH_DETAIL: Final = 6.0
BLACK_BELOW: Final = 25.0
"""Mean grey value that tells a black picture from a covered lens."""
VIEW_ACCEPTED_AFTER_S: Final = 300.0
"""A moved camera's new view is its view after so long; the time between stays invalid."""
BLUR_ACCEPTED_AFTER_S: Final = 3600.0
"""So is a lasting loss of detail, where enough is left for faces."""
_MOST_SPANS: Final = 16


class CameraQuality:
    """Follows one camera's picture. Feed it frames in order."""

    def __init__(self) -> None:
        self.seen_at_s: float | None = None
        self._focus = Focus()
        self._stillness = Stillness()
        self._viewpoint = Viewpoint()
        self._suspicions: dict[Problem, Suspicion] = {
            problem: Suspicion(RAISED_AFTER_S[problem], CLEARED_AFTER_S) for problem in PROBLEMS
        }
        self._spans: list[tuple[float, float]] = []
        """Analysed time since the oldest suspicion began, not yet counted as invalid."""

    @property
    def problems(self) -> Mapping[Problem, float]:
        """What is wrong now, and since when, in seconds since the epoch."""
        return {
            problem: suspicion.began_s
            for problem, suspicion in self._suspicions.items()
            if suspicion.raised and suspicion.began_s is not None
        }

    @property
    def problem(self) -> Problem | None:
        """The problem that invalid time is counted under; None while all is well."""
        return next(iter(self.problems), None)

    def look(self, look: Look, time_s: float) -> None:
        """Take in a frame captured at `time_s`."""
        step_s = 0.0
        if self.seen_at_s is not None:
            step_s = min(max(time_s - self.seen_at_s, 0.0), LONGEST_STEP_S)
        self.seen_at_s = time_s
        for problem, bad in self._judge(look, time_s, step_s).items():
            self._suspicions[problem].weigh(bad, time_s, step_s)
        self._accept_what_stays(look, time_s)

    def count_invalid(self, from_s: float, to_s: float, minutes: MinuteIncrements) -> None:
        """Count analysed time in `minutes` if it was invalid.

        Time under suspicion is kept until the suspicion is raised, and counted then: what is said
        at the tenth second of a frozen picture was true from the first.
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
        elif all(suspicion.began_s is None for suspicion in self._suspicions.values()):
            self._spans = []

    def _judge(self, look: Look, time_s: float, step_s: float) -> dict[Problem, bool | None]:
        """What the frame shows of each problem; None where it cannot be told."""
        nothing = look.detail < LEAST_DETAIL
        something = look.detail > ENOUGH_DETAIL
        dark = look.brightness < BLACK_BELOW
        found: dict[Problem, bool | None] = {
            "black": nothing and dark if nothing or something else None,
            "covered": nothing and not dark if nothing or something else None,
            "frozen": None,
            "moved": None,
            "blurred": None,
        }
        if not something:
            return found
        found["frozen"] = self._frozen(look, time_s)
        if not self._suspicions["frozen"].raised:
            found["moved"] = self._viewpoint.look(look.edges, step_s)
            found["blurred"] = self._focus.blurred(look.sharpness)
            if found["blurred"] is False and self._suspicions["moved"].began_s is None:
                self._focus.learn(look.sharpness, step_s)
        return found

    def _frozen(self, look: Look, time_s: float) -> bool | None:
        suspicion = self._suspicions["frozen"]
        same = self._stillness.same(look.grid, time_s)
        patience_s, before_s = self._stillness.frozen_after_s, suspicion.raised_after_s
        suspicion.raised_after_s = patience_s
        # What was said of a camera in ignorance of its ways is taken back at once.
        if patience_s > before_s or (same is False and not suspicion.raised):
            suspicion.drop()
        return same

    def _accept_what_stays(self, look: Look, time_s: float) -> None:
        moved, blurred = self._suspicions["moved"], self._suspicions["blurred"]
        if moved.raised and time_s - (moved.began_s or time_s) >= VIEW_ACCEPTED_AFTER_S:
            self._viewpoint.accept()
            self._focus.forget()
            moved.drop()
        lasted_s = time_s - (blurred.began_s or time_s)
        enough = look.sharpness - NO_DETAIL > ENOUGH
        if blurred.raised and enough and lasted_s >= BLUR_ACCEPTED_AFTER_S:
            self._focus.forget()
            blurred.drop()

    def encode(self) -> dict[str, Any]:
        """All that a successor needs, for JSON: about 3.4 kB, most of it the reference view."""
        return {
            "seen_at_s": self.seen_at_s,
            "suspicions": {name: one.encode() for name, one in self._suspicions.items()},
            "stillness": self._stillness.encode(),
            "focus": self._focus.encode(),
            "viewpoint": self._viewpoint.encode(),
        }

    def restore(self, record: dict[str, Any]) -> None:
        """Go on from what `encode` wrote."""
        self.seen_at_s = record["seen_at_s"]
        for problem in PROBLEMS:
            self._suspicions[problem].restore(record["suspicions"][problem])
        self._stillness.restore(record["stillness"])
        self._suspicions["frozen"].raised_after_s = self._stillness.frozen_after_s
        self._focus.restore(record["focus"])
        self._viewpoint.restore(record["viewpoint"])
