"""The shapes of what a worker saves of a camera between frames, and its successor must trust.

A number that nobody can calculate with would stop the successor, and its own successor, and so on;
so what does not fit here is not taken up at all. Bounds are far beyond what happens.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter

from contract.cameras.layout import MOST_SHAPES
from contract.cameras.quality import PROBLEMS
from contract.messages import LATEST_S, Count, Moment, Pixels, Side, checked, read_versioned
from contract.people.people import Direction
from contract.people.verdicts import Verdict

MOST_TRACKS: Final = 5000
_MOST_EVENTS: Final = 10_000

Span = Annotated[float, Field(ge=-LATEST_S, le=LATEST_S)]
"""Seconds from one moment to another, whichever came first."""
_Amount = Annotated[float, Field(ge=0, le=1e12)]
_Any = Annotated[float, Field(ge=-1e12, le=1e12)]
_Log = Annotated[float, Field(ge=-5, le=15)]
"""Logarithm of a length in pixels."""
_Growth = Annotated[float, Field(ge=-100, le=100)]
_Length = Annotated[float, Field(gt=0, le=1e6)]
_Name = Annotated[str, Field(max_length=200)]

_Motion = tuple[
    # where, how large, how fast, growing how fast
    Pixels, Pixels, _Log, _Log, _Any, _Any, _Growth,
    # and how surely: `worker.tracking.motion` says which numbers these are
    _Amount, _Any, _Amount, _Amount, _Any, _Any, _Amount,
]  # fmt: skip
_Change = tuple[Moment, Verdict, Verdict]
_Votes = tuple[
    Verdict, Moment,
    _Amount, _Amount, _Amount,
    _Amount, _Amount, _Amount,
    _Amount, _Amount, _Amount,
    _Amount, _Amount, Span, Verdict,
    Annotated[list[_Change], Field(max_length=_MOST_EVENTS)],
]  # fmt: skip
_Passage = tuple[
    Annotated[list[_Name], Field(max_length=MOST_SHAPES)],
    Annotated[list[tuple[Moment, _Name, Direction]], Field(max_length=_MOST_EVENTS)],
    Annotated[dict[_Name, tuple[Pixels, Pixels]], Field(max_length=2 * MOST_SHAPES)],
]
_Track = tuple[
    Count, _Motion, Moment, Span, Span, Pixels, Pixels,
    Count, Count, Pixels, _Amount, _Amount, bool,
    _Votes, _Passage | Annotated[list[Any], Field(max_length=0)],
]  # fmt: skip
_StillPlace = tuple[Pixels, Pixels, _Length, _Amount, Moment]

_TRACKS: Final[TypeAdapter[list[Any]]] = TypeAdapter(
    Annotated[list[_Track], Field(max_length=MOST_TRACKS)]
)
_STILL_PLACES: Final[TypeAdapter[list[Any]]] = TypeAdapter(
    Annotated[list[_StillPlace], Field(max_length=MOST_TRACKS)]
)
_HEAD: Final[TypeAdapter[Any]] = TypeAdapter(tuple[Count, tuple[Side, Side], tuple[Count, bool]])
_QUALITY: Final[TypeAdapter[Any]] = TypeAdapter(
    tuple[
        Moment | None,
        dict[str, tuple[_Amount | None, Moment | None, bool]],
        Annotated[list[_Amount], Field(max_length=100)],
        tuple[_Amount, _Amount],
        tuple[_Amount, Annotated[str, Field(max_length=100_000)]]
        | Annotated[list[Any], Field(max_length=0)],
    ]
)
_FITNESS: Final[TypeAdapter[Any]] = TypeAdapter(
    tuple[
        Annotated[int, Field(ge=0, le=100)],
        Annotated[list[_Amount], Field(max_length=100)],
        Count,
        _Amount,
        _Amount,
        _Amount,
        tuple[_Amount, _Amount, _Amount],
    ]
)


def read_tracker(state: str, schema: int) -> dict[str, Any]:
    """Return the record of a tracker; raise `MessageError` for anything else."""
    what = "a tracker's state"
    record = read_versioned(state, schema, what)
    parts = [record.get(name) for name in ("next_id", "size", "picture")]
    next_id, size, picture = checked(_HEAD, parts, what)
    return {
        "next_id": next_id,
        "size": size,
        "picture": picture,
        "tracks": checked(_TRACKS, record.get("tracks"), what),
        "static": checked(_STILL_PLACES, record.get("static"), what),
    }


def read_condition(state: str, schema: int) -> dict[str, Any]:
    """Return what was learnt of a camera; raise `MessageError` for anything else."""
    what = "a camera's condition"
    record = read_versioned(state, schema, what)
    learnt = record.get("quality")
    names = ("seen_at_s", "suspicions", "stillness", "focus", "viewpoint")
    parts = [learnt.get(name) for name in names] if isinstance(learnt, dict) else None
    quality = dict(zip(names, checked(_QUALITY, parts, what), strict=True))
    suspicions = quality["suspicions"]
    quality["suspicions"] = {name: suspicions.get(name, (0.0, None, False)) for name in PROBLEMS}
    return {"quality": quality, "fitness": checked(_FITNESS, record.get("fitness"), what)}
