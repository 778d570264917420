"""Reading what others left in Redis: small enough, of a version we know, of the right types.

Whoever can write to Redis, or a version of ours that went wrong, may have left anything there.
Messages are JSON, never pickled, and what a reader gets from here has the types that its
annotations say and numbers that one can calculate with.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Final, NoReturn, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from contract.errors import MessageError

LATEST_S: Final = 2.0**32
"""Times are seconds since the epoch, up to the year 2106."""
LARGEST_COUNT: Final = 2**53
"""Redis' scripts count in doubles, which know every whole number up to this."""
LONGEST_SIDE_PX: Final = 65_535
"""What a JPEG can have."""
MOST_RECORD_BYTES: Final = 4 * 1024 * 1024
"""No message but a picture is larger: 10,000 faces."""

Moment = Annotated[float, Field(ge=0, le=LATEST_S)]
Share = Annotated[float, Field(ge=0, le=1.001)]
"""From 0 to 1, and what rounding adds."""
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Side = Annotated[int, Field(ge=0, le=LONGEST_SIDE_PX)]
Pixels = Annotated[float, Field(ge=-10.0 * LONGEST_SIDE_PX, le=10.0 * LONGEST_SIDE_PX)]
"""A face may lie partly outside its picture."""

T = TypeVar("T")


def read_json(raw: bytes | str, what: str, most_bytes: int = MOST_RECORD_BYTES) -> Any:
    """Return what a message says; raise `MessageError` naming `what` when it is no JSON of ours."""
    if len(raw) > most_bytes:
        raise MessageError(f"{what} has {len(raw)} bytes, expected at most {most_bytes}")
    try:
        return json.loads(raw, parse_float=_number, parse_int=_whole, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        # The error's words repeat nothing of what was found.
        raise MessageError(f"{what} cannot be read: {type(error).__name__}") from error


def read_versioned(raw: bytes | str, schema: int, what: str) -> dict[str, Any]:
    """Return a record of version `schema`; raise `MessageError` for anything else."""
    record = read_json(raw, what)
    if not isinstance(record, dict):
        raise MessageError(f"{what} cannot be read: it is no record")
    found = record.get("v")
    if found != schema or isinstance(found, bool):
        raise MessageError(
            f"{what} has schema {str(found)[:20]!r}, expected {schema}: "
            "upgrade all of Maskwatch's processes together"
        )
    return record


def checked(adapter: TypeAdapter[T], record: Any, what: str) -> T:
    """Return `record` with the adapter's types; raise `MessageError` saying which part has not."""
    try:
        return adapter.validate_python(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise MessageError(f"{what} cannot be read: {where}: {first['msg'][:200]}") from None


def read_count(raw: bytes) -> int:
    """Return a whole number from 0 to `LARGEST_COUNT` of a stream's field; raise `ValueError`."""
    # int() would also read "1_0" and digits of other scripts, slowly if there are many.
    if not raw.isdigit() or len(raw) > 16 or int(raw) > LARGEST_COUNT:
        raise ValueError("not a number that was counted")
    return int(raw)


def read_moment(raw: bytes) -> float:
    """Return a time of a stream's field; raise `ValueError` when it is none."""
    time_s = float(raw[:40])
    if not 0 <= time_s <= LATEST_S:  # also NaN
        raise ValueError("not a time that anything happened at")
    return time_s


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number without an end")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > 2**63:
        raise ValueError("a number too large")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError("not a number")


def to_json(record: object) -> str:
    """Compact JSON, as every message in Redis is written."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False)
