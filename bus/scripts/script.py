"""Calls a Lua file in one atomic step, with its keys and one header of named fields.

A header is a record. Each of its fields reaches the script under its own name, as JSON in the first
argument: `header.owner`. Pictures and other bytes go beside it, as further arguments.

Lua's numbers are doubles, and Lua loses digits when it writes them. So values that a script stores
or adds are sent as text, exactly as Redis must store them. Whole numbers up to 2**53 with which a
script calculates are sent as numbers. No field is a `float`. A field that is None is not sent, and
is nil in the script.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Final, Generic, TypeVar

from pydantic import BaseModel
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ResponseError

from contract.errors import LeaseLostError, NotNewerError
from contract.people.minutes import MinuteIncrements
from contract.people.totals import Increments

_FENCE: Final = "fence"


class Header:
    """The named fields that a script receives. Subclasses are frozen dataclasses."""

    script: ClassVar[str]
    """Name of the file that reads it, without `.lua`."""

    def encode(self) -> bytes:
        """Return the header as JSON. Raises `UnicodeEncodeError` for invalid Unicode."""
        return _JSON.encode(_sent(vars(self))).encode()


@dataclass(frozen=True)
class FencedHeader(Header):
    """The header of a script that writes only while a lease is held."""

    owner: str
    """The lease key's value while the writer owns the camera."""
    counts_refusals: bool = field(default=False, kw_only=True)
    """Whether the script counts refusals in its second key, the camera's totals."""


H = TypeVar("H", bound=Header)
F = TypeVar("F", bound=FencedHeader)


class Script(Generic[H]):
    """The script of one kind of header."""

    def __init__(self, redis: Redis, header: type[H]) -> None:
        self._script = redis.register_script(_text(header))

    def __call__(
        self, keys: Sequence[str], header: H, *beside: bytes, pipeline: Pipeline | None = None
    ) -> Any:
        """Run it; return its answer, or the pipeline where one is given."""
        return self._script(keys=keys, args=[header.encode(), *beside], client=pipeline)


class FencedScript(Generic[F]):
    """A script that a lease fences: its first key is the lease, and a refusal raises our own error.

    `fence.lua` precedes the script's own file and refuses callers that are not the owner.
    """

    def __init__(self, redis: Redis, header: type[F]) -> None:
        self._script = redis.register_script(_text(header))

    def __call__(
        self,
        keys: Sequence[str],
        header: F,
        *beside: bytes,
        of: str,
        step: str = "this step",
    ) -> Any:
        """Run it; return its answer. `of` and `step` name what is written, for messages.

        Raises:
            LeaseLostError: the lease is another's or has expired.
            NotNewerError: this step or a newer one was committed before.
        """
        try:
            return self._script(keys=keys, args=[header.encode(), *beside])
        except ResponseError as error:
            if "LEASELOST" in str(error):
                raise LeaseLostError(f"{of} has another owner") from None
            if "NOTNEWER" in str(error):
                raise NotNewerError(
                    f"{step} of {of} was committed before, or another commit came between"
                ) from None
            raise


def _text(header: type[Header]) -> str:
    parts = [_FENCE] if issubclass(header, FencedHeader) else []
    return "\n".join(_read(name) for name in (*parts, header.script))


@cache
def _read(name: str) -> str:
    return (files(__package__) / f"{name}.lua").read_text(encoding="utf-8")


def _sent(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return a message as stored, amounts as pairs, other records by their fields without bytes.

    Raises `TypeError` for what is none of these.
    """
    if isinstance(value, Increments | MinuteIncrements):
        return value.arguments()
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    encode = getattr(value, "encode", None)
    if encode:
        return encode()
    fields = vars(value)
    return _sent({name: one for name, one in fields.items() if not isinstance(one, bytes)})


_JSON: Final = json.JSONEncoder(
    default=_plain,
    separators=(",", ":"),
    allow_nan=False,
    # Fail here for half a surrogate pair: Lua's parser would refuse it without saying why.
    ensure_ascii=False,
)
