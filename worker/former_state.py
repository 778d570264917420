"""Reads the states of the previous version's workers, so that an upgrade loses nobody in view.

Those were lists that their reader took apart by position. Here they get the shape of this version's
records; `saved_state.read_state` checks types and bounds afterwards. Delete this with the next
version.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from contract.cameras.quality import PROBLEMS
from worker.condition.fitness import BINS
from worker.saved_state import Amount
from worker.verdicts.belief import LEAST_CHANCE


def tracker_2(record: dict[str, Any]) -> dict[str, Any]:
    """Return a tracker's state of version 2 as one of version 3."""
    picture, repeated = record["picture"]
    return {
        "v": 3,
        "next_id": record["next_id"],
        "frame_size": record["size"],
        "picture": picture,
        "repeated": _flag(repeated),
        "tracks": [_track(one) for one in _list(record["tracks"])],
        "static": [record["static"]],
    }


def condition_1(record: dict[str, Any]) -> dict[str, Any]:
    """Return a camera's condition of version 1 as one of version 2."""
    quality = record["quality"]
    suspicions = {name: quality["suspicions"][name] for name in PROBLEMS}
    view = quality["viewpoint"] or None
    learnt = [quality["seen_at_s"], suspicions, quality["stillness"], quality["focus"], view]
    return {"v": 2, "quality": learnt, "fitness": _fitness(record["fitness"])}


def _track(record: list[Any]) -> list[Any]:
    track_id, motion, last_s, seen_for_s, unmoved_s, x, y, *seen, static, votes, passage = record
    moving, first_s = [motion[:7], motion[7:]], round(last_s - seen_for_s, 3)
    known = [track_id, moving, first_s, last_s, [x, y], unmoved_s, *seen, _flag(static)]
    return [*known, _votes(votes), passage]


def _votes(record: list[Any]) -> list[Any]:
    now, looked_at_s, *rest, founded, changes = record
    numbers = msgspec.convert(rest, list[Amount])
    recent, held_s, sure_s = numbers[:3], numbers[3:6], numbers[6:9]
    undecided_s, now_held_s, ago_s = numbers[9:]
    since_s = round(looked_at_s - ago_s, 3)
    belief = _belief(recent, held_s, sure_s, undecided_s)
    return [belief, now, looked_at_s, now_held_s, since_s, founded, changes]


def _belief(
    recent: list[float], held_s: list[float], sure_s: list[float], undecided_s: float
) -> list[Any]:
    """Those votes did not know how the time was spent if another verdict is true now."""
    known, third_s = sum(recent), undecided_s / len(held_s)
    chances = [max(round(one / known, 6), LEAST_CHANCE) if known else 1 / 3 for one in recent]
    doubt = sum(
        held * -math.log(min(max(sure / held, 1e-3), 1.0))
        for held, sure in zip(held_s, sure_s, strict=True)
        if held > 0
    )
    row = [round(held + third_s, 4) for held in held_s]
    return [chances, [row] * len(row), [round(doubt, 4)] * len(row)]


def _list(part: Any) -> list[Any]:
    if not isinstance(part, list):
        raise TypeError("expected a list")
    return part


def _flag(number: Any) -> bool:
    if number not in (0, 1):
        raise ValueError("expected 0 or 1")
    return bool(number)


def _fitness(record: list[Any]) -> list[Any]:
    first, heights, *rest = record
    after = BINS - first - len(heights)
    return [[0.0] * first + heights + [0.0] * after, *rest]
