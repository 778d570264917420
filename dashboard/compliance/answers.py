"""What the API answers about compliance and people."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from contract.people.people import Direction
from contract.people.verdicts import Verdict
from dashboard.web.answers import Counts, NamedCamera, Rate


class Crossing(BaseModel):
    """Somebody crossed a counting line."""

    at_s: float
    line: str
    direction: Direction


class Change(BaseModel):
    """Somebody put a mask on, took it off or moved it, in view."""

    at_s: float
    before: Verdict
    after: Verdict


class PersonRow(BaseModel):
    """Somebody who was counted and has gone. Never a picture."""

    id: str
    track_id: int
    first_seen_s: float
    last_seen_s: float
    in_view_s: float
    sightings: int
    best_face_px: float
    verdict: Verdict
    confidence: float
    judged_s: float
    crossings: list[Crossing]
    zones: list[str]
    changes: list[Change]


class PeopleAnswer(BaseModel):
    """The people counted last, the newest first."""

    camera_id: str
    people: list[PersonRow]
    before: str | None = Field(description="Send it as `before` for the next page; null: no more.")


class CompliancePoint(BaseModel):
    """One step. Nothing is known of the people in a step in which nothing was analysed."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    from_s: int
    to_s: int
    people: Counts | None
    compliance: Rate | None
    unknown_share: float | None
    faces: int | None
    frames_analysed: int
    frames_dropped: int
    analysed_s: float
    analysed_share: float | None
    invalid_s: dict[str, float]


class ComplianceAnswer(BaseModel):
    """Compliance of some cameras together over a range, as a whole and step by step."""

    cameras: list[NamedCamera]
    step: str
    tz: str
    total: CompliancePoint
    points: list[CompliancePoint]
