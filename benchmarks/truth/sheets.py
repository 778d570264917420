"""Contact sheets of every mistake. They show people: they stay in `out/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.truth.films import frames
from benchmarks.truth.matching import Answer, Sighting
from benchmarks.truth.scores import ClipScore
from models.crops import crop_faces

Image = npt.NDArray[np.uint8]

SIDE: Final = 120
"""Of a crop, in pixels."""
ACROSS: Final = 10
"""Crops of one person."""
CAPTION: Final = 18
COLOURS: Final = {"mask": (0, 190, 0), "incorrect": (0, 170, 255), "no_mask": (60, 60, 255)}


@dataclass(frozen=True)
class Strip:
    """One mistake: a line of words, and the faces it is about."""

    caption: str
    seen: tuple[Sighting, ...]


def mistakes(way: str, score: ClipScore, seen: Sequence[Sighting]) -> list[Strip]:
    """Everything that is wrong in one analysis of one clip."""
    strips, before = [], set[str]()
    for answer in sorted(score.answers, key=lambda a: -a.person.sightings):
        wrong = _what_is_wrong(answer, again=answer.who in before)
        before.add(answer.who)
        if wrong:
            person = answer.person
            caption = (
                f"{way}: {wrong}; #{person.track_id} {person.verdict} {person.confidence:.2f}, "
                f"truth {answer.truth}, {answer.who or 'nobody'}"
            )
            mine = [sighting for sighting in seen if sighting.track_id == person.track_id]
            strips.append(Strip(caption, _spread(mine)))
    for who in score.missed:
        theirs = [sighting for sighting in seen if sighting.who == who]
        strips.append(Strip(f"{way}: missed: {who}", _spread(theirs)))
    return strips


def write_sheet(clip: str, strips: Sequence[Strip], path: Path) -> None:
    """Write the strips of a clip as one picture, which is decoded again for it."""
    wanted: dict[int, list[Sighting]] = {}
    for strip in strips:
        for sighting in strip.seen:
            wanted.setdefault(sighting.frame, []).append(sighting)
    crops = {
        sighting: _cropped(frame.image, sighting)
        for frame in frames(clip)
        for sighting in wanted.get(frame.number, ())
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack([_drawn(strip, crops) for strip in strips]))


def _what_is_wrong(answer: Answer, again: bool) -> str:
    told, verdict = answer.counts and answer.truth != "unknown", answer.person.verdict
    return ", ".join(
        wrong
        for wrong, holds in (
            ("ghost", not answer.who),
            ("counted again", answer.counts and again),
            (f"merged with {', '.join(answer.also)}", bool(answer.also)),
            ("unknown", told and verdict == "unknown"),
            ("wrong", told and verdict not in ("unknown", answer.truth)),
            ("beside", answer.who and not answer.counts and verdict != "unknown"),
        )
        if holds
    )


def _spread(seen: Sequence[Sighting]) -> tuple[Sighting, ...]:
    chosen = np.unique(np.linspace(0, len(seen) - 1, min(ACROSS, len(seen))).astype(int))
    return tuple(seen[index] for index in chosen) if seen else ()


def _cropped(image: Image, sighting: Sighting) -> Image:
    box = np.array([sighting.box], np.float32)
    crop: Image = crop_faces(image, box, margin=0.4, size=SIDE)[0]
    height = sighting.box[3] - sighting.box[1]
    words = f"{sighting.time_s:.1f}s {height:.0f}px"
    cv2.putText(crop, words, (2, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 255, 255), 1)
    colour = COLOURS.get(sighting.verdict, (160, 160, 160))
    cv2.rectangle(crop, (0, 0), (SIDE - 1, SIDE - 1), colour, 3)
    return crop


def _drawn(strip: Strip, crops: dict[Sighting, Image]) -> Image:
    picture = np.zeros((CAPTION + SIDE, ACROSS * SIDE, 3), np.uint8)
    cv2.putText(picture, strip.caption, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
    for index, sighting in enumerate(strip.seen):
        picture[CAPTION:, index * SIDE : (index + 1) * SIDE] = crops[sighting]
    return picture
