"""Makes requests from records, and adapts their schemas for the API's document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.fields import FieldInfo


def no_default(schema: dict[str, Any]) -> None:
    """Remove the defaults of a change's fields, because a missing field keeps its value."""
    schema.pop("default", None)


def request_for(
    name: str, words: str, fields: Mapping[str, FieldInfo], required: frozenset[str] = frozenset()
) -> type[BaseModel]:
    """Return a request that takes `fields`; one that changes some of them if none is `required`."""
    taken: dict[str, Any] = {}
    for field_name, field in fields.items():
        default = ... if field_name in required else field.default if required else None
        extra = None if required else no_default
        value = Field(default, description=field.description, json_schema_extra=extra)
        taken[field_name] = (field.rebuild_annotation(), value)
    return create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=words, **taken)
