"""Schedules of reports: which one goes to whom, and when."""

from __future__ import annotations

import secrets
import time
from datetime import time as clock_time
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from contract.alerts.channels import MOST_RECIPIENTS, MailAddress
from contract.alerts.rules import explain
from contract.alerts.schedule import known_zone
from contract.errors import AlertError
from contract.names import OPTIONAL_NAME, PLAIN_NAME

MOST_SCHEDULES: Final = 50
SpanKind = Literal["week", "month"]


class ReportSchedule(BaseModel):
    """A report that is sent after each week or month. Immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    version: Literal[1] = 1
    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: Annotated[str, Field(min_length=1, max_length=80), PLAIN_NAME]
    kind: SpanKind = Field(
        "week", description="`week`: each Monday; `month`: on the first day of each month."
    )
    group: Annotated[
        str,
        Field(max_length=80, description="Only cameras of this group; empty: all."),
        OPTIONAL_NAME,
    ] = ""
    at: str = Field(
        "06:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="`HH:MM` by the clocks of `tz`."
    )
    tz: Annotated[str, AfterValidator(known_zone)] = Field(
        "UTC", max_length=64, description="IANA time zone of the report and of `at`."
    )
    channel_id: str = Field(
        max_length=32, description="Id of the e-mail channel whose mail server and sender to use."
    )
    to: tuple[MailAddress, ...] = Field(min_length=1, max_length=MOST_RECIPIENTS)
    enabled: bool = True
    created_at_s: float = Field(default_factory=time.time)

    @property
    def clock(self) -> clock_time:
        return clock_time.fromisoformat(self.at)

    def sent_words(self) -> str:
        """Return when it is sent: `each Monday at 06:00 (Europe/Berlin)`."""
        day = "each Monday" if self.kind == "week" else "on the first day of each month"
        return f"{day} at {self.at} ({self.tz})"


class ReportDue(BaseModel):
    """A report in a message: which week or month, for which schedule."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schedule_id: str
    schedule: str
    """The schedule's name."""
    group: str
    span: str
    """`2026-W48` or `2026-11`."""
    from_s: float
    to_s: float


SCHEDULE_CHANGEABLE: Final = frozenset(ReportSchedule.model_fields) - {
    *("version", "id", "created_at_s"),
}


def make_schedule(**fields: Any) -> ReportSchedule:
    """Return a schedule with a new id; raise `AlertError` naming each field that cannot be used."""
    return changed_schedule({"id": secrets.token_hex(6), **fields})


def changed_schedule(fields: dict[str, Any]) -> ReportSchedule:
    """Return a schedule of these fields; raise `AlertError` as `make_schedule` does."""
    try:
        return ReportSchedule.model_validate(fields)
    except ValidationError as error:
        raise AlertError(explain(error)) from None
