"""Alerts that are open or over, and the one step in which an alert opens or closes.

What is remembered of a rule at a camera, the alert, and the messages that go out about it change
together or not at all, and only while whoever changes them holds the evaluator's lock. So a
process that dies leaves an alert neither half open nor forgotten, and one that was paused past
its lock changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from contract.alerts.rules import AlertKind

EVALUATOR_SILENT_S: Final = 60.0
"""When rules were last evaluated longer ago than this, nobody evaluates them."""

Event = Literal["opened", "closed", "test"]


class Alert(BaseModel):
    """One alert of one rule at one camera. Names are those of when it opened."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    rule_id: str
    rule: str
    kind: AlertKind
    camera_id: str
    camera: str
    group: str
    opened_at_s: float
    words: str = Field(description="What was found when it opened.")
    closed_at_s: float | None = None
    closed_words: str = Field("", description="Why it closed.")
    channels: tuple[str, ...] = ()


class Delivery(BaseModel):
    """A message that one channel must still get."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Names the message for its receiver: the same however often it is tried."""
    event: Event
    channel_id: str
    alert: Alert | None = None
    """None in a test message."""
    created_at_s: float
    attempts: int = 0

    @property
    def waits_for(self) -> str:
        """The message that must be out of the way before this one; empty for none."""
        if self.alert is None or self.event != "closed":
            return ""
        return delivery_id(self.alert.id, "opened", self.channel_id)


def delivery_id(alert_id: str, event: Event, channel_id: str) -> str:
    """The one message about one transition for one channel."""
    return f"{alert_id}-{event}-{channel_id}"


def deliveries_of(alert: Alert, event: Event, now_s: float) -> list[Delivery]:
    """The messages about a transition of `alert`, one for each of its channels."""
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
    """What one step changes of one rule at one camera."""

    watch: str
    """`rule id:camera id`."""
    state: str
    """What is remembered from now on, as JSON; empty: nothing."""
    opened: Alert | None = None
    closed: Alert | None = None
    deliveries: Sequence[Delivery] = ()
