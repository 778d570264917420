"""Which true person a face or a counted track is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from benchmarks.scenes.clip_truth import ClipTruth, TruePerson
from contract.people.faces import FrameFaces
from contract.people.people import Person

Boxes = npt.NDArray[np.float64]

LEAST_OVERLAP: Final = 0.4
"""Of a face and a true face, as in the other benchmarks of detectors."""
LEAST_SHARE: Final = 0.2
"""A track that overlaps somebody for less than this share of its frames does so by chance."""
MERGED_AFTER_S: Final = 0.5
"""A track that follows two people for this long each has made one of them."""


@dataclass(frozen=True)
class Sighting:
    """One face of a counted or discarded track in one frame."""

    frame: int
    """Of the clip, from 0."""
    time_s: float
    track_id: int
    box: tuple[float, float, float, float]
    verdict: str
    """On the screen at that moment."""
    who: str
    """"" where nobody's face is."""
    state: str
    """How that person wears the mask there; `unknown` where it cannot be judged."""


@dataclass(frozen=True)
class Answer:
    """A counted track, and what the eye says of it."""

    person: Person
    who: str
    """Whom it followed for most of the time; "" nobody."""
    counts: bool
    """Whether that is somebody whom the eye counts."""
    truth: str
    """How the mask was worn for most of the time that this track could see it; the person's state
    where it never could. `unknown`: the eye cannot tell."""
    saw: bool
    """Whether the face could be judged while this track followed it."""
    also: tuple[str, ...]
    """Others who count, followed for `MERGED_AFTER_S` or longer."""


def sightings(truth: ClipTruth, frames: Iterable[tuple[int, float, FrameFaces]]) -> list[Sighting]:
    """Match the faces of frames (number, seconds, faces) to the true ones, each to one at most."""
    found = []
    for number, time_s, faces in frames:
        people, boxes = there(truth, number)
        whose = assign(boxes, faces_of(faces)[1])
        for column, face in enumerate(faces.faces):
            person = people[whose[column]] if column in whose else None
            span = person.span_at(number) if person else None
            state = span.state if span and span.judgeable else "unknown"
            who = person.who if person else ""
            found.append(
                Sighting(number, time_s, face.track_id, face.box, face.verdict, who, state)
            )
    return found


def answers(truth: ClipTruth, people: Sequence[Person], seen: Sequence[Sighting]) -> list[Answer]:
    """Say of each counted track who it is."""
    known = {person.who: person for person in truth.people}
    return [
        answer(person, [s for s in seen if s.track_id == person.track_id], known)
        for person in people
    ]


def answer(person: Person, seen: Sequence[Sighting], known: dict[str, TruePerson]) -> Answer:
    """Say who a counted track is. seen: its sightings, in order."""
    followed = Counter(sighting.who for sighting in seen if sighting.who)
    who = max(followed, key=followed.__getitem__, default="")
    if not who or followed[who] < LEAST_SHARE * len(seen):
        return Answer(person, "", False, "unknown", False, ())
    states = Counter(s.state for s in seen if s.who == who and s.state != "unknown")
    truth = max(states, key=states.__getitem__, default=known[who].state)
    duration_s = seen[-1].time_s - seen[0].time_s
    also = [
        other
        for other, times in followed.items()
        if other != who and known[other].counts and times / len(seen) * duration_s >= MERGED_AFTER_S
    ]
    return Answer(person, who, known[who].counts, truth, bool(states), tuple(also))


def noticed_after_s(
    person: TruePerson, seen: Sequence[Sighting], times_s: npt.NDArray[np.float64]
) -> list[tuple[str, float | None]]:
    """Return of each change of a mask what it was and how long the screen took to say so.

    seen: the sightings of this person. times_s: `(frames,)` of the clip. None: not before the mask
    was worn otherwise again, or before the end. Changes that happen before a face is found at all
    do not count.
    """
    found: list[tuple[str, float | None]] = []
    changes = person.changes
    for index, (frame, before, after) in enumerate(changes):
        begins_s = float(times_s[int(frame)])
        later = changes[index + 1 :]
        ends_s = float(times_s[int(later[0][0])]) if later else float("inf")
        if not any(s.time_s < begins_s and s.state == before for s in seen):
            continue
        said = [
            s.time_s - begins_s
            for s in seen
            if begins_s <= s.time_s < ends_s and s.verdict == after
        ]
        found.append((f"{before} to {after}", round(said[0], 2) if said else None))
    return found


def there(truth: ClipTruth, number: int) -> tuple[list[TruePerson], Boxes]:
    """People whose faces are in a frame, and their `(n, 4)` boxes."""
    shown = [(person, person.at(number)) for person in truth.people]
    faces = [(person, at[0]) for person, at in shown if at is not None]
    boxes = np.array([box for _, box in faces], np.float64).reshape(-1, 4)
    return [person for person, _ in faces], boxes


def faces_of(frame: FrameFaces) -> tuple[list[int], Boxes]:
    """Track ids and `(n, 4)` boxes of an analysed frame."""
    boxes = np.array([face.box for face in frame.faces], np.float64).reshape(-1, 4)
    return [face.track_id for face in frame.faces], boxes


def assign(ours: Boxes, theirs: Boxes) -> dict[int, int]:
    """Map columns of `theirs` to rows of `ours` at the greatest total overlap."""
    overlap = overlaps(ours, theirs)
    rows, columns = linear_sum_assignment(-np.where(overlap > LEAST_OVERLAP, overlap, 0))
    return {
        int(column): int(row)
        for row, column in zip(rows, columns, strict=True)
        if overlap[row, column] > LEAST_OVERLAP
    }


def overlaps(ours: Boxes, theirs: Boxes) -> Boxes:
    """`(n, m)` intersection over union."""
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    high = np.minimum(ours[:, None, 2:], theirs[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (ours, theirs)]
    return np.asarray(shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9))
