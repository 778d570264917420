"""Queries of requests about compliance and people."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PeopleQuery(BaseModel):
    """Selects people."""

    limit: int = Field(100, ge=1, le=1000)
    before: str | None = Field(
        None,
        pattern=r"^\d{1,19}-\d{1,19}$",
        description="Only people counted before this row's id.",
    )


class ComplianceQuery(BaseModel):
    """Selects cameras, a time range and its steps."""

    camera: list[str] = Field(
        [], description="Id or name; may be repeated. Without it, all cameras together."
    )
    from_: str | None = Field(
        None,
        alias="from",
        description="RFC 3339 or seconds since the epoch. Default: a day before `to`.",
    )
    to: str | None = Field(None, description="RFC 3339 or seconds since the epoch. Default: now.")
    step: str = Field(
        "hour", description="`minute`, `hour`, `day`, or a multiple of 60 in seconds."
    )
    tz: str = Field("UTC", description="IANA time zone of the steps.")
    format: Literal["json", "csv"] | None = Field(
        None, description="Form of the answer; otherwise the header `Accept` decides."
    )
