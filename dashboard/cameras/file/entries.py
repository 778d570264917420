"""What a file of cameras has of each, whichever form it is in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from contract.cameras.camera import CHANGEABLE, Camera
from contract.redaction import HIDDEN

FIELDS: Final = tuple(name for name in Camera.model_fields if name in CHANGEABLE | {"id"})
"""The fields in a file, in this order."""

TEXTS: Final = frozenset(name for name in FIELDS if Camera.model_fields[name].annotation is str)
NUMBERS: Final = frozenset(
    name for name in FIELDS if Camera.model_fields[name].annotation in {int, float}
)
SWITCHES: Final = frozenset(name for name in FIELDS if Camera.model_fields[name].annotation is bool)
SHAPES: Final = frozenset(name for name in FIELDS if Camera.model_fields[name].default == ())

MOST_ENTRIES: Final = 1000
LONGEST_REPEATED: Final = 80
MOST_BYTES: Final = 2 * 1024 * 1024


@dataclass(frozen=True)
class Problem:
    """Why a camera of the file is refused."""

    field: str
    """Empty where it is about the whole entry."""
    detail: str
    """What was expected, what was found, what to do. Never a password."""


@dataclass(frozen=True)
class Entry:
    """One camera as the file has it, not checked yet."""

    line: int
    """Where it begins in the file, from 1."""
    values: dict[str, Any] = field(repr=False)
    """By field; those that the file does not have are missing. An empty one is the default."""
    problems: tuple[Problem, ...] = ()


MayChange = Callable[[Camera], bool]
"""Whether the file is for somebody who may change a camera, and so see where it leads."""


def anybody(_: Camera) -> bool:
    """The file is for whoever runs the system."""
    return True


def record_of(camera: Camera, may_change: bool) -> dict[str, Any]:
    """The camera's fields as a file has them."""
    source = camera.redacted_source if may_change else camera.public_source
    return {**camera.model_dump(mode="json"), "source": source}


def repeatable(text: str) -> str:
    """A text of the file as an answer may repeat it: nothing of what looks like an address.

    In a wrong place an address can be anything, half of one too: `redact_url` wants a whole one.
    """
    scheme, separator, _ = text.partition("://")
    return f"{scheme}://{HIDDEN}"[:LONGEST_REPEATED] if separator else text[:LONGEST_REPEATED]


def without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the default in place of what was left empty (None)."""
    return {
        name: Camera.model_fields[name].get_default() if value is None else value
        for name, value in values.items()
        if value is not None or not Camera.model_fields[name].is_required()
    }
