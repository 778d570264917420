"""What a request for events may ask."""

from __future__ import annotations

from pydantic import BaseModel, Field


class EventsQuery(BaseModel):
    """Of which cameras."""

    camera: list[str] = Field([], description="Id or name; all cameras without one.")
