"""Reads records from Redis and checks their size, version and types.

Anybody who can write to Redis, or a faulty version of Maskwatch, may have stored anything there.
Messages are JSON, never pickles. A record read here has the types of its annotations, and finite
numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any, ClassVar, Final, NoReturn, Self, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from contract.errors import MessageError

LATEST_S: Final = 2.0**32
"""Latest time in seconds since the epoch: the year 2106."""
LARGEST_COUNT: Final = 2**53
"""Largest count. Redis' scripts count in doubles, which represent every whole number up to it."""
LONGEST_SIDE_PX: Final = 65_535
"""Longest side of a JPEG."""
MOST_RECORD_BYTES: Final = 4 * 1024 * 1024
"""Largest message that is not a picture: enough for 10,000 faces."""

Moment = Annotated[float, Field(ge=0, le=LATEST_S)]
Share = Annotated[float, Field(ge=0, le=1.001)]
"""From 0 to 1, with some room for rounding."""
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Side = Annotated[int, Field(ge=0, le=LONGEST_SIDE_PX)]
Pixels = Annotated[float, Field(ge=-10.0 * LONGEST_SIDE_PX, le=10.0 * LONGEST_SIDE_PX)]
"""A face may lie partly outside its picture."""

T = TypeVar("T")


def read_json(raw: bytes | str, what: str, most_bytes: int = MOST_RECORD_BYTES) -> Any:
    """Return a message's content; raise `MessageError` naming `what` if it is not valid JSON."""
    if len(raw) > most_bytes:
        raise MessageError(f"{what} has {len(raw)} bytes, expected at most {most_bytes}")
    try:
        return json.loads(raw, parse_float=_number, parse_int=_whole, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        # Do not repeat the message's content in the error.
        raise MessageError(f"{what} cannot be read: {type(error).__name__}") from error


Former = Callable[[dict[str, Any]], dict[str, Any]]
"""Takes a record of the version before, of any content, and returns it in this version's form."""


def read_versioned(
    raw: bytes | str, schema: int, what: str, former: Former | None = None
) -> dict[str, Any]:
    """Return a record of version `schema`, or of the version before if there is a `former`.

    Raises:
        MessageError: it is anything else.
    """
    record = read_json(raw, what)
    if not isinstance(record, dict):
        raise MessageError(f"{what} cannot be read: it is not a record")
    found = record.get("v")
    if found == schema and not isinstance(found, bool):
        return record
    if former and found == schema - 1 and not isinstance(found, bool):
        return former(record)
    raise MessageError(
        f"{what} has schema {str(found)[:20]!r}, expected {schema}: "
        "upgrade all of Maskwatch's processes together"
    )


def checked(adapter: TypeAdapter[T], record: Any, what: str) -> T:
    """Return `record` with the adapter's types; raise `MessageError` naming the faulty part."""
    try:
        return adapter.validate_python(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part)[:40] for part in first["loc"][:6])
        raise MessageError(f"{what} cannot be read: {where}: {first['msg'][:200]}") from None


@dataclass(frozen=True)
class StoredRecord:
    """A dataclass that is stored as JSON, with the version of its form."""

    WHAT: ClassVar[str]
    """The record's name in errors."""
    SCHEMA: ClassVar[int] = 1

    def encode(self) -> str:
        """Return the record as JSON."""
        return to_json({"v": self.SCHEMA, **asdict(self)})

    @classmethod
    def decode(cls, raw: bytes | str) -> Self:
        """Read what `encode` returned; raises `MessageError`."""
        if cls not in _ADAPTERS:
            _ADAPTERS[cls] = TypeAdapter(cls)
        adapter: TypeAdapter[Self] = _ADAPTERS[cls]
        return checked(adapter, read_versioned(raw, cls.SCHEMA, cls.WHAT), cls.WHAT)


_ADAPTERS: Final[dict[type, TypeAdapter[Any]]] = {}
"""Of each kind of record, once it was read."""


def read_count(raw: bytes) -> int:
    """Return a whole number from 0 to `LARGEST_COUNT`; raise `ValueError` for anything else."""
    # int() would also accept "1_0" and digits of other scripts, and be slow with many of them.
    if not raw.isdigit() or len(raw) > 16 or int(raw) > LARGEST_COUNT:
        raise ValueError("not a count")
    return int(raw)


def read_moment(raw: bytes) -> float:
    """Return a time in seconds since the epoch; raise `ValueError` for anything else."""
    time_s = float(raw[:40])
    if not 0 <= time_s <= LATEST_S:  # also NaN
        raise ValueError("not a valid time")
    return time_s


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("an infinite number")
    return number


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > 2**63:
        raise ValueError("a number too large")
    return number


def _no_number(text: str) -> NoReturn:
    raise ValueError("not a number")


def to_json(record: object) -> str:
    """Return compact JSON, the form of every message in Redis."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False)
