"""Requests and answers of the API about reports."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from contract.alerts.attempts import Outcome
from contract.alerts.report_schedules import (
    SCHEDULE_CHANGEABLE,
    ReportSchedule,
    SpanKind,
)
from dashboard.compliance.answers import clock_time
from dashboard.overview.answers import Both, GroupOverview
from dashboard.web.answers import FROM_RECORD, Counts, Rate
from dashboard.web.schemas import request_for
from reports.week import DaySums


class CameraShareAnswer(BaseModel):
    """A camera's share of its own time."""

    model_config = FROM_RECORD

    camera: str
    share: float


class LimitAnswer(BaseModel):
    """Something that a reader of the figures must know."""

    model_config = FROM_RECORD

    title: str
    words: str
    most: list[CameraShareAnswer] = Field(description="The cameras that it concerns most.")


class DayAnswer(BaseModel):
    """One local day. People and rate are null if no frame was analysed."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    people: Counts | None
    compliance: Rate | None

    @classmethod
    def of(cls, day: DaySums, zone: tzinfo) -> Self:
        """A day, its ends told by the clocks of `zone`."""
        return cls(
            from_=clock_time(day.from_s, zone),
            to=clock_time(day.to_s, zone),
            people=None if day.is_gap else dict(day.people),
            compliance=None if day.is_gap else Rate.of(day.rate),
        )


class ReportAnswer(Both):
    """A week or month. Somebody who passes two cameras counts at both."""

    span: str
    kind: SpanKind
    group: str = Field(description="Empty for all cameras that you may see.")
    tz: str
    is_over: bool = Field(description="False while the week or month still runs.")
    limits: list[LimitAnswer] = Field(
        description="What was invalid, missing, without a verdict and not audited."
    )
    days: list[DayAnswer]
    groups: list[GroupOverview]


class SendingAnswer(BaseModel):
    """The last attempt to send a report."""

    model_config = FROM_RECORD

    at_s: float
    attempt: int
    outcome: Outcome = Field(description="`failed`: it will be tried again; `given_up`: it won't.")
    words: str


class ScheduleAnswer(ReportSchedule):
    """A schedule, when it is next due, and how it went last time."""

    words: str
    next_due_s: float | None = Field(description="Null while it is off.")
    last: SendingAnswer | None
    may_change: bool


class SchedulesAnswer(BaseModel):
    """Schedules by name, and whether a process sends their reports."""

    schedules: list[ScheduleAnswer]
    sent: bool = Field(description="False: no alerts process runs, so no report is sent.")


_FIELDS: Final = {
    name: field
    for name, field in ReportSchedule.model_fields.items()
    if name in SCHEDULE_CHANGEABLE
}
NewSchedule = request_for(
    "NewSchedule", "A schedule to make.", _FIELDS, frozenset({"name", "channel_id", "to"})
)
ScheduleChange = request_for("ScheduleChange", "Fields to change; the others stay.", _FIELDS)


class SentAnswer(BaseModel):
    """The outcome of the first attempt to send a report now."""

    outcome: Literal["delivered", "failed", "given_up", "waiting"]
    words: str
