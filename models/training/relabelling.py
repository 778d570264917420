"""What we changed in others' labels, and why: `relabelled.csv` beside this file.

A row names a photograph and a box. With `old`, it corrects the label of that labelled face.
Without, it adds what a detector takes for a face and nobody could judge: hands, backs of heads,
ears, things.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from contract.errors import DataError
from contract.people.verdicts import VERDICTS
from models.coco import Photograph
from models.labelled_faces import LabelledFace

CHANGES_PATH: Final = Path(__file__).with_name("relabelled.csv")
EDGES: Final = ("x_min", "y_min", "x_max", "y_max")
TOLERANCE_PX: Final = 1.0
"""A row's box is rounded."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One row. box: (4,) float32 xyxy pixels; old is None where a face is added."""

    file_name: str
    box: npt.NDArray[np.float32]
    old: int | None
    new: int
    reason: str


def read_changes(path: Path = CHANGES_PATH) -> list[Change]:
    """All rows; raises DataError for one that is damaged."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [_change(row, f"{path}, row {number}") for number, row in enumerate(rows, start=2)]


def relabel(
    photographs: Iterable[Photograph], faces: Sequence[LabelledFace], changes: Iterable[Change]
) -> list[LabelledFace]:
    """The faces with every change made that is about one of the photographs.

    Raises DataError where a corrected face is not there or has another label than `old`: then the
    photographs' labels are not those that the list was made for.
    """
    known = {photograph.file_name: photograph for photograph in photographs}
    relabelled = list(faces)
    places: dict[str, list[int]] = {}
    for number, face in enumerate(faces):
        places.setdefault(face.photograph.file_name, []).append(number)
    for change in changes:
        photograph = known.get(change.file_name)
        if photograph is None:
            continue
        if change.old is None:
            relabelled.append(_added(photograph, change))
        else:
            number = _place(relabelled, places.get(change.file_name, []), change)
            relabelled[number] = replace(relabelled[number], label=change.new)
    return relabelled


def _place(faces: Sequence[LabelledFace], numbers: Sequence[int], change: Change) -> int:
    for number in numbers:
        face = faces[number]
        near = np.abs(face.label_box - change.box).max() <= TOLERANCE_PX
        if near and face.label == change.old:
            return number
    raise DataError(
        f"{change.file_name} has no face labelled {VERDICTS[change.old or 0]} at "
        f"{change.box.tolist()}, which {CHANGES_PATH.name} corrects; use the labels that the list "
        "was made for, or remove the row"
    )


def _added(photograph: Photograph, change: Change) -> LabelledFace:
    return LabelledFace(photograph, change.new, change.box, change.box, None, 0.0)


def _change(row: dict[str, str], where: str) -> Change:
    try:
        box = np.array([float(row[edge]) for edge in EDGES], np.float32)
        old = VERDICTS.index(row["old"]) if row["old"] else None
        new = VERDICTS.index(row["new"])
        return Change(row["file_name"], box, old, new, row["reason"])
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{where} is damaged ({error!r}): expected file_name, {', '.join(EDGES)}, old, new, "
            f"reason, with labels among {', '.join(VERDICTS)}"
        ) from error
