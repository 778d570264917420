"""Open and resolved alerts, and the one step in which an alert opens or closes.

The state of a rule at a camera, its alert and the alert's messages change together or not at all,
and only the holder of the evaluator's lock may change them. So a process that dies leaves no alert
half open or forgotten, and a process that was paused past its lock changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.alerts.report_schedules import ReportDue
from contract.alerts.rules import AlertKind

EVALUATOR_SILENT_S: Final = 60.0
"""Seconds since the last evaluation after which we report that no process evaluates rules."""

Event = Literal["opened", "closed", "test", "report"]


class Alert(BaseModel):
    """One alert of one rule at one camera. Names are those at the time it opened."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    rule_id: str
    rule: str
    kind: AlertKind
    camera_id: str
    camera: str
    group: str
    opened_at_s: float
    words: str = Field(description="The finding that opened the alert.")
    closed_at_s: float | None = None
    closed_words: str = Field("", description="The reason for closing.")
    channels: tuple[str, ...] = ()


class Acknowledgement(BaseModel):
    """Someone has seen an open alert and deals with it. It stays open until its rule closes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    by: str = Field(description="The account's name, or an API key's.")
    at_s: float


class AlertRecord(Alert):
    """An alert with what is known of it since it opened."""

    current_words: str | None = Field(
        None, description="The newest finding while the alert is open; null before there is one."
    )
    acknowledged: Acknowledgement | None = None


class Delivery(BaseModel):
    """A message that one channel has not received yet."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Id of the message for its receiver: the same for every attempt."""
    event: Event
    channel_id: str
    alert: Alert | None = None
    """None in a test message, and in a report."""
    report: ReportDue | None = None
    not_before_s: float = 0.0
    """When a planned message is due."""
    created_at_s: float
    attempts: int = 0

    @property
    def waits_for(self) -> str:
        """Return the id of the message that must be settled first; empty if there is none."""
        if self.alert is None or self.event != "closed":
            return ""
        return delivery_id(self.alert.id, "opened", self.channel_id)


def delivery_id(alert_id: str, event: Event, channel_id: str) -> str:
    """Return the id of the message about a transition for one channel."""
    return f"{alert_id}-{event}-{channel_id}"


def deliveries_of(alert: Alert, event: Event, now_s: float) -> list[Delivery]:
    """Return the messages about a transition of `alert`, one for each of its channels."""
    return [
        Delivery(
            id=delivery_id(alert.id, event, channel_id),
            event=event,
            channel_id=channel_id,
            alert=alert,
            created_at_s=now_s,
        )
        for channel_id in alert.channels
    ]


@dataclass(frozen=True)
class Change:
    """The changes of one step to one rule at one camera."""

    watch: str
    """`rule id:camera id`."""
    state: str
    """The new state as JSON; empty deletes the state."""
    opened: Alert | None = None
    closed: Alert | None = None
    current: str | None = None
    """The newest finding about an alert that stays open, if it says something new."""
    current_of: str | None = None
    """Id of that alert."""
    deliveries: Sequence[Delivery] = ()
