"""What requests about compliance and people may ask."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PeopleQuery(BaseModel):
    """Which people."""

    limit: int = Field(100, ge=1, le=1000)
    before: str | None = Field(
        None, pattern=r"^\d{1,19}-\d{1,19}$", description="Only those counted before this row's id."
    )


class ComplianceQuery(BaseModel):
    """Which cameras, which range, which steps."""

    camera: list[str] = Field([], description="Id or name; all cameras together without one.")
    from_: str | None = Field(
        None, alias="from", description="RFC 3339 or seconds since the epoch; a day before `to`."
    )
    to: str | None = Field(None, description="RFC 3339 or seconds since the epoch; now.")
    step: str = Field("hour", description="`minute`, `hour`, `day`, or seconds: multiples of 60.")
    tz: str = Field("UTC", description="IANA time zone of the steps.")
    format: Literal["json", "csv"] | None = Field(None, description="Or by the header `Accept`.")
