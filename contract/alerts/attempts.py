"""Attempts to deliver a message, and their outcomes."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from contract.alerts.alerts import Event

Outcome = Literal["delivered", "failed", "given_up"]


OUTCOMES: Final[tuple[Outcome, ...]] = ("delivered", "failed", "given_up")


class Attempt(BaseModel):
    """One attempt to deliver a message, as the log stores it. Contains no secret."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at_s: float
    delivery_id: str
    event: Event
    channel_id: str
    channel: str
    camera_id: str = ""
    camera: str = ""
    group: str = ""
    rule: str = ""
    attempt: int
    outcome: Outcome
    words: str
