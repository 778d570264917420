"""What the API says of accounts: the log of what was done."""

from __future__ import annotations

from pydantic import BaseModel, Field

from dashboard.web.answers import FROM_RECORD


class AuditQuery(BaseModel):
    """Which entries."""

    limit: int = Field(100, ge=1, le=1000)
    before: str | None = Field(
        None, pattern=r"^\d{1,19}-\d{1,19}$", description="Only those before this entry's id."
    )
    actor: str | None = Field(
        None, max_length=300, description="Only what this account or key did; its whole name."
    )
    action: str | None = Field(
        None, max_length=300, description="Only this, such as `changed a camera` or `watched`."
    )
    from_: str | None = Field(
        None, alias="from", description="RFC 3339 or seconds since the epoch; none before it."
    )
    to: str | None = Field(
        None, description="RFC 3339 or seconds since the epoch; only what came before it."
    )


class AuditEntryAnswer(BaseModel):
    """One thing that somebody did. Never a password, key or token."""

    model_config = FROM_RECORD

    id: str
    at_s: float
    actor: str = Field(validation_alias="who", description="The account's or key's name as it was.")
    action: str
    subject: str = Field(description="On what: a camera, an account, a key, with what was changed.")
    address: str = Field(description="Where it came from.")


class AuditAnswer(BaseModel):
    """Entries, the newest first; of the last 20,000."""

    entries: list[AuditEntryAnswer]
    before: str | None = Field(description="Send it as `before` for the next page; null: no more.")
