"""Answers of the API about accounts: the audit log."""

from __future__ import annotations

from pydantic import BaseModel, Field

from dashboard.web.answers import FROM_RECORD


class AuditQuery(BaseModel):
    """Selects entries."""

    limit: int = Field(100, ge=1, le=1000)
    before: str | None = Field(
        None, pattern=r"^\d{1,19}-\d{1,19}$", description="Only entries before this entry's id."
    )
    actor: str | None = Field(
        None, max_length=300, description="Only actions of the account or key with this full name."
    )
    action: str | None = Field(
        None,
        max_length=300,
        description="Only this action, such as `changed a camera` or `watched`.",
    )
    from_: str | None = Field(
        None, alias="from", description="Earliest time: RFC 3339 or seconds since the epoch."
    )
    to: str | None = Field(
        None, description="Entries before this time: RFC 3339 or seconds since the epoch."
    )


class AuditEntryAnswer(BaseModel):
    """One action of an account or key; never with a password, key or token."""

    model_config = FROM_RECORD

    id: str
    at_s: float
    actor: str = Field(
        validation_alias="who", description="Name of the account or key at that time."
    )
    action: str
    subject: str = Field(description="The camera, account or key concerned, and its changes.")
    address: str = Field(description="Address of the client.")


class AuditAnswer(BaseModel):
    """Entries, newest first, from the last 20,000."""

    entries: list[AuditEntryAnswer]
    before: str | None = Field(
        description="Send it as `before` for the next page; null on the last."
    )
