"""Answers of the API about compliance and people."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from contract.people.corrected_rate import CorrectedRate
from contract.people.minutes import DROPPED, FACES, FRAMES
from contract.people.people import Direction, Person
from contract.people.verdicts import Verdict
from dashboard.web.answers import FROM_RECORD, Counts, NamedCamera, RateWithCorrection
from reports.report import Point


class Crossing(BaseModel):
    """A person crossed a counting line."""

    model_config = FROM_RECORD

    at_s: float
    line: str
    direction: Direction


class Change(BaseModel):
    """A person put on, took off or moved a mask in view."""

    model_config = FROM_RECORD

    at_s: float
    before: Verdict
    after: Verdict


class PersonRow(BaseModel):
    """A person who was counted and is no longer in view; without a picture."""

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

    @classmethod
    def of(cls, row_id: str, person: Person, **more: str) -> Self:
        """A person as the API gives it; `more` are the fields that a subclass adds."""
        in_view_s = round(person.last_seen_s - person.first_seen_s, 3)
        return cls.model_validate({**vars(person), "id": row_id, "in_view_s": in_view_s, **more})


class PeopleAnswer(BaseModel):
    """The last people counted, newest first."""

    camera_id: str
    people: list[PersonRow]
    before: str | None = Field(
        description="Send it as `before` for the next page; null on the last."
    )


class CompliancePoint(BaseModel):
    """One step. People and rate are null in a step without analysed frames."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    from_s: int
    to_s: int
    people: Counts | None
    compliance: RateWithCorrection | None
    unknown_share: float | None
    faces: int | None
    frames_analysed: int
    frames_dropped: int
    watched_s: float = Field(
        description="Seconds of the step in which the cameras were there, of all together: from "
        "when each was added until now."
    )
    analysed_s: float
    analysed_share: float | None = Field(description="`analysed_s` / `watched_s`.")
    missing_s: float = Field(description="`watched_s` - `analysed_s`.")
    invalid_s: dict[str, float]

    @classmethod
    def of(cls, point: Point, corrected: CorrectedRate, zone: tzinfo) -> CompliancePoint:
        """A step, its ends told by the clocks of `zone`."""
        gap, unknown, share = point.is_gap, point.unknown_share, point.analysed_share
        return cls(
            from_=clock_time(point.from_s, zone),
            to=clock_time(point.to_s, zone),
            from_s=point.from_s,
            to_s=point.to_s,
            people=None if gap else point.people,
            compliance=None if gap else RateWithCorrection.of_both(point.rate, corrected),
            unknown_share=None if unknown is None else round(unknown, 4),
            faces=None if gap else point.amounts.get(FACES, 0),
            frames_analysed=point.amounts.get(FRAMES, 0),
            frames_dropped=point.amounts.get(DROPPED, 0),
            watched_s=round(point.watched_s, 3),
            analysed_s=round(point.analysed_s, 3),
            analysed_share=None if share is None else round(share, 4),
            missing_s=round(point.missing_s, 3),
            invalid_s=point.invalid_s,
        )


class ComplianceAnswer(BaseModel):
    """Compliance of some cameras together over a range, as a whole and step by step."""

    cameras: list[NamedCamera]
    step: str
    tz: str
    total: CompliancePoint
    points: list[CompliancePoint]


def clock_time(time_s: int, zone: tzinfo) -> str:
    """RFC 3339, as the clocks of `zone` show it."""
    return datetime.fromtimestamp(time_s, zone).isoformat()
