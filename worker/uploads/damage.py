"""What is damaged in a recording, and when."""

from __future__ import annotations

from typing import Final

MOST_SPANS: Final = 100
"""Spans of damage that are told one by one."""
TOGETHER_S: Final = 0.5
"""Spans with less between them are told as one."""
HELD_BACK_S: Final = 1.0
"""Decoders that work on several pictures at once report an error up to this long before."""
HOLE: Final = 1.5
"""A step longer than this many usual ones lacks a picture."""


class Damage:
    """Counts parts that could not be decoded, and finds the spans that lack their pictures."""

    def __init__(self) -> None:
        self.skipped = 0
        """Packets and pictures that could not be decoded, or only in part."""
        self.spans: list[tuple[float, float]] = []
        """From the last picture before the damage to the first one after it, in seconds."""
        self._since_s: float | None = None
        self._before_s = 0.0
        self._usual_s: float | None = None
        self._hole_s: tuple[float, float] | None = None

    def skip(self) -> None:
        """Note a part that could not be decoded."""
        self.skipped += 1
        if self._hole_s and self._before_s - self._hole_s[1] < HELD_BACK_S:
            self._tell(*self._hole_s)  # containers look for their next part before decoders fail
        elif self._since_s is None:
            self._since_s = self._before_s

    def picture(self, time_s: float, whole: bool = True) -> None:
        """Note a picture; one that is not `whole` is shown, and counts as damaged."""
        step_s, self._before_s = time_s - self._before_s, time_s
        lacks = step_s > HOLE * (self._usual_s or step_s)
        if self._since_s is None:
            self._usual_s = min(step_s, self._usual_s or step_s) or None
            self._hole_s = (time_s - step_s, time_s) if lacks else self._hole_s
        elif lacks:
            self._tell(time_s - step_s, time_s)
        elif time_s - self._since_s > HELD_BACK_S:
            self._tell(self._since_s, self._since_s)
        if not whole:
            self.skip()

    def end(self) -> None:
        """Note the film's end."""
        if self._since_s is not None:
            self._tell(self._before_s, self._before_s)

    def seconds(self) -> float:
        """Return how long the spans are together."""
        return sum(to_s - from_s for from_s, to_s in self.spans)

    def _tell(self, from_s: float, to_s: float) -> None:
        self._since_s = self._hole_s = None
        from_s, to_s = round(from_s, 2), round(to_s, 2)
        if self.spans and from_s - self.spans[-1][1] < TOGETHER_S:
            self.spans[-1] = (self.spans[-1][0], to_s)
        elif len(self.spans) < MOST_SPANS:
            self.spans.append((from_s, to_s))
