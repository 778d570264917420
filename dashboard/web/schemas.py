"""Adapts the schemas of models for the API's document."""

from __future__ import annotations

from typing import Any


def no_default(schema: dict[str, Any]) -> None:
    """Remove the defaults of a change's fields, because a missing field keeps its value."""
    schema.pop("default", None)
