"""Who is in a clip, by eye: where their faces are and whether they can be judged.

How the truth was made: a face detector looked at every frame at two to three times the width it
has in use, at a low threshold (0.35); its boxes were linked into tracks and looked at, all of them,
in contact sheets and enlarged crops. By eye, boxes that are no face were thrown away, tracks of one
person joined, states set, and spans marked in which nobody could judge the face (seen from behind,
an ear and a cheek): there a detection is neither right nor wrong. Boxes are medians over five
frames, kept every third of a second. Faces that no setting of that detector finds are missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FOLDER: Final = Path(__file__).with_name("ground_truth")


@dataclass(frozen=True)
class Span:
    """A stretch of frames in which a person's face is in the picture."""

    judgeable: bool
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
    """How the mask is worn: a verdict, `unknown` where the eye cannot tell either."""
    counts: bool
    """Judgeable for half a second or more."""
    spans: tuple[Span, ...]

    def at(self, frame: float) -> tuple[npt.NDArray[np.float64], bool] | None:
        """The face's box at a frame and whether it can be judged; None when it is not there."""
        for span in self.spans:
            box = span.box(frame)
            if box is not None:
                return box, span.judgeable
        return None


@dataclass(frozen=True)
class ClipTruth:
    """Everybody in a clip."""

    clip: str
    fps: float
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
                Span(span["judgeable"], np.array(span["boxes"], np.float64))
                for span in person["spans"]
            ),
        )
        for person in record["people"]
    )
    return ClipTruth(record["clip"], float(record["fps"]), people)
