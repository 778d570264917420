"""The entries in a file of cameras, independent of the file's form."""

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
    """A reason to refuse a camera of the file."""

    field: str
    """Name of the field; empty if the reason concerns the whole entry."""
    detail: str
    """The expected and the found value, and advice. Never a password."""


@dataclass(frozen=True)
class Entry:
    """A camera in the file, not checked yet."""

    line: int
    """First line of the entry, from 1."""
    values: dict[str, Any] = field(repr=False)
    """Values by field, only for fields in the file. An empty value stands for the default."""
    problems: tuple[Problem, ...] = ()


MayChange = Callable[[Camera], bool]
"""Whether the file's reader may change a camera, and therefore see its address."""


def anybody(_: Camera) -> bool:
    """The file is for whoever runs the system."""
    return True


def record_of(camera: Camera, may_change: bool) -> dict[str, Any]:
    """Return the camera's fields in the form of a file."""
    source = camera.redacted_source if may_change else camera.public_source
    return {**camera.model_dump(mode="json"), "source": source}


def repeatable(text: str) -> str:
    """Return a text of the file for an answer, without anything that looks like an address.

    In a wrong column, even half an address may stand. `redact_url` needs a whole one.
    """
    scheme, separator, _ = text.partition("://")
    return f"{scheme}://{HIDDEN}"[:LONGEST_REPEATED] if separator else text[:LONGEST_REPEATED]


def without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values with defaults in place of empty ones (None)."""
    return {
        name: Camera.model_fields[name].get_default() if value is None else value
        for name, value in values.items()
        if value is not None or not Camera.model_fields[name].is_required()
    }
