"""Who is in a clip, by eye: where their faces are and whether they can be judged.

How the truth was made: a face detector looked at every frame at one and a half to three times the
width it has in use, at a low threshold (0.35); its boxes were linked into tracks and looked at, all
of them, in contact sheets and enlarged crops. By eye, boxes that are no face were thrown away,
tracks of one person joined, states set, and spans marked in which nobody could judge the face (seen
from behind, an ear and a cheek, a mask on its way to the face): there a detection is neither right
nor wrong. Boxes are medians over five frames, kept every third of a second. Faces that no setting
of that detector finds are missing.

What counts: who can be judged for half a second or more. In the clips added later a face lower than
20 pixels cannot be judged; who is out of the picture for more than 5 s counts anew; drawings and
paintings are nobody. *Incorrect* is a mask that leaves the nose or the mouth free: below the nose,
below the chin, hanging from an ear. One that covers both is a mask, even if it is worn too high.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FOLDER: Final = Path(__file__).parents[1] / "ground_truth"


@dataclass(frozen=True)
class Span:
    """A stretch of frames in which a person's face is in the picture."""

    judgeable: bool
    state: str
    """How the mask is worn; `unknown` where the eye cannot tell either."""
    keys: npt.NDArray[np.float64]
    """`(n, 5)`: frame, x_min, y_min, x_max, y_max; linear in between."""

    def box(self, frame: float) -> npt.NDArray[np.float64] | None:
        """`(4,)` at a frame; None outside the span."""
        numbers = self.keys[:, 0]
        if not numbers[0] <= frame <= numbers[-1]:
            return None
        return np.array([np.interp(frame, numbers, self.keys[:, edge]) for edge in range(1, 5)])


@dataclass(frozen=True)
class TruePerson:
    """Somebody in a clip. A cut ends a passage: no camera has one."""

    who: str
    state: str
    """How the mask is worn for most of the time that can be judged, as in `Span`."""
    counts: bool
    """Judgeable for half a second or more."""
    spans: tuple[Span, ...]

    def span_at(self, frame: float) -> Span | None:
        """The span a frame is in; None when the face is not there."""
        return next((s for s in self.spans if s.keys[0, 0] <= frame <= s.keys[-1, 0]), None)

    def at(self, frame: float) -> tuple[npt.NDArray[np.float64], bool] | None:
        """The face's box at a frame and whether it can be judged; None when it is not there."""
        span = self.span_at(frame)
        box = span.box(frame) if span else None
        return None if span is None or box is None else (box, span.judgeable)

    @property
    def changes(self) -> list[tuple[float, str, str]]:
        """Frame from which a mask is worn otherwise, how it was worn before, and how since."""
        told = [span for span in self.spans if span.judgeable and span.state != "unknown"]
        return [
            (float(after.keys[0, 0]), before.state, after.state)
            for before, after in pairwise(told)
            if before.state != after.state
        ]


@dataclass(frozen=True)
class ClipTruth:
    """Everybody in a clip."""

    clip: str
    fps: float
    camera: str
    """`fixed` or `moving`: held in a hand, or panned."""
    people: tuple[TruePerson, ...]

    @property
    def counted(self) -> int:
        """People to be counted."""
        return sum(person.counts for person in self.people)


def clip_truths() -> list[ClipTruth]:
    """Every clip that has been looked at."""
    return [_read(json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]


def _read(record: dict[str, Any]) -> ClipTruth:
    people = tuple(
        TruePerson(
            person["who"],
            person["state"],
            person["counts"],
            tuple(
                Span(
                    span["judgeable"],
                    span.get("state", person["state"]),
                    np.array(span["boxes"], np.float64),
                )
                for span in person["spans"]
            ),
        )
        for person in record["people"]
    )
    return ClipTruth(record["clip"], float(record["fps"]), record["camera"], people)
