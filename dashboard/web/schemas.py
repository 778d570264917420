"""How models are described in the API's document."""

from __future__ import annotations

from typing import Any


def no_default(schema: dict[str, Any]) -> None:
    """A field that is left out of a change has no default: it stays as it is."""
    schema.pop("default", None)
