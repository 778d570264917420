"""Queries of requests for events."""

from __future__ import annotations

from pydantic import BaseModel, Field


class EventsQuery(BaseModel):
    """Selects cameras."""

    camera: list[str] = Field(
        [], description="Id or name; may be repeated. Without it, all cameras."
    )
