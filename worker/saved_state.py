"""Writes and reads the state that a worker saves for its successor.

Each kind of state is one class. Its fields are what is saved, in their order, and their types have
the bounds of what a reader accepts. Without bounds, one infinite number would stop the successor,
and then every later one. Bounds are far beyond anything that happens. See docs/adr/0045.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from contract.errors import MessageError
from contract.messages import (
    LARGEST_COUNT,
    LATEST_S,
    LONGEST_SIDE_PX,
    MOST_RECORD_BYTES,
    read_json,
)
from contract.plain_text import escaped, shortened

MOST_EVENTS: Final = 10_000

Moment = Annotated[float, Meta(ge=0, le=LATEST_S)]
"""Seconds since the epoch."""
Pixels = Annotated[float, Meta(ge=-10.0 * LONGEST_SIDE_PX, le=10.0 * LONGEST_SIDE_PX)]
"""A place or a length. A face may lie partly outside its picture."""
Place = tuple[Pixels, Pixels]
Side = Annotated[int, Meta(ge=0, le=LONGEST_SIDE_PX)]
"""Width or height of a picture, in pixels."""
Count = Annotated[int, Meta(ge=0, le=LARGEST_COUNT)]
Amount = Annotated[float, Meta(ge=0, le=1e12)]
Signed = Annotated[float, Meta(ge=-1e12, le=1e12)]
Name = Annotated[str, Meta(max_length=200)]


class Record(msgspec.Struct, array_like=True):
    """A part of a camera's state, saved as the list of its fields' values.

    Add a field at the end and with a default. Then this version reads states without the field, and
    the version before skips it. Any other change needs a new `tag` of the whole state.
    """


class FrozenRecord(msgspec.Struct, array_like=True, frozen=True):
    """A `Record` whose values never change. Type checkers want `frozen=True` of subclasses, too."""


class SavedState(msgspec.Struct, tag_field="v"):
    """The whole of one kind of state, saved under its fields' names with its version, the `tag`."""


class _Versioned(msgspec.Struct):
    v: int


S = TypeVar("S", bound=SavedState)
T = TypeVar("T")
Former = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes a record of the version before. Returns this version's, as plain lists and dictionaries."""


def write_state(state: SavedState) -> str:
    """Return `state` as JSON; raise `MessageError` for numbers that no reader would accept."""
    written = msgspec.json.encode(state)
    # JSON has no NaN and no infinity. The encoder writes them as null, which few fields may be.
    if b"null" in written:
        _decoded(written, type(state), "a state to be saved")
    return written.decode()


def read_state(raw: str, kind: type[S], former: Former, what: str) -> S:
    """Return the state that `write_state` of this version wrote, or of the one before.

    Raises:
        MessageError: it is anything else. Its words begin with `what`.
    """
    if len(raw) > MOST_RECORD_BYTES:
        raise MessageError(f"{what} has {len(raw)} bytes, expected at most {MOST_RECORD_BYTES}")
    found, schema = _decoded(raw, _Versioned, what).v, int(kind.__struct_config__.tag or 0)
    if found == schema:
        return _decoded(raw, kind, what)
    if found == schema - 1:
        return _converted(read_json(raw, what), kind, former, what)
    raise MessageError(
        f"{what} has schema '{str(found)[:20]}', expected {schema}: "
        "upgrade all of Maskwatch's processes together"
    )


def _decoded(raw: str | bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _unreadable(what, error) from None


def _converted(record: dict[str, Any], kind: type[S], former: Former, what: str) -> S:
    try:
        return msgspec.convert(former(record), kind)
    except (msgspec.ValidationError, LookupError, TypeError, ValueError) as error:
        raise _unreadable(what, error) from None


def _unreadable(what: str, error: Exception) -> MessageError:
    return MessageError(f"{what} cannot be read: {escaped(shortened(str(error), 200))}")
