"""What the API answers about cameras and the people they saw, as the document describes it.

The tests that generate requests compare these with real answers.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, create_model

from bus.connection.trouble import Trouble
from contract.alerts.rules import AlertKind
from contract.cameras.camera import Camera
from contract.cameras.quality import FitnessVerdict, UnfitReason
from contract.cameras.quality import Problem as PictureProblem
from contract.cameras.status import CameraState
from contract.people.people import Direction
from contract.people.verdicts import Verdict

Counts = dict[Verdict, int]
Box = tuple[float, float, float, float]


class Problem(BaseModel):
    """What went wrong."""

    error: str = Field(description="A stable name.")
    detail: str = Field(description="Plain words, with what to do about it.")
    cause: Trouble | None = Field(
        None, description="Of `redis_unavailable`: what is wrong with Redis."
    )


class Rate(BaseModel):
    """mask / (mask + incorrect + no_mask), with its 95 % Wilson interval."""

    people: int = Field(description="Judged people, the n of the rate.")
    rate: float | None
    low: float | None
    high: float | None


class ConnectionStatus(BaseModel):
    """What ingest says of a camera."""

    state: CameraState
    since_s: float
    fps: float
    width: int
    height: int
    codec: str
    error_kind: str
    error: str
    notice_kind: str = Field(
        description="While live: what is wrong with the stream all the same (`corrupt`, `clock`, "
        "`slow`, `fast`, `changed`); empty when nothing is."
    )
    notice: str
    reconnects: int


class QualityProblem(BaseModel):
    """One thing that is wrong with a picture."""

    problem: PictureProblem
    since_s: float
    words: str


class Quality(BaseModel):
    """Whether a picture can be believed now."""

    valid: bool
    problem: PictureProblem | None
    problems: list[QualityProblem]
    advice: str


class OpenAlert(BaseModel):
    """An alert that is open at a camera."""

    id: str
    kind: AlertKind
    rule: str
    opened_at_s: float
    words: str


CameraSettings: type[BaseModel] = create_model(
    "CameraSettings",
    __config__=ConfigDict(extra="ignore"),
    **{
        name: (Camera.model_fields[name].annotation, ...)
        for name in Camera.model_fields
        if name not in {"sealed_source"}
    },  # type: ignore[call-overload]
)


class CameraAnswer(CameraSettings):
    """A camera: its settings, its state, and what it sees. `source` comes without the password."""

    version: str = Field(description="Of the settings; for `If-Match`.")
    status: ConnectionStatus
    reason: str = Field(description="Why there is no fresh picture; empty when there is one.")
    faces: Counts = Field(description="Faces in view now.")
    people: Counts = Field(description="People counted so far.")
    compliance: Rate
    last_hour: Rate | None = Field(
        description="The last 60 minutes, some seconds old; null until it was read."
    )
    picture_age_s: float | None
    picture_at_s: float | None
    stale_after_s: float = Field(description="Age at which a picture must not look live.")
    quality: Quality
    fitness: FitnessVerdict
    alerts: list[OpenAlert] = Field(description="Open at this camera, the newest first.")


class CameraList(BaseModel):
    """A page of cameras, by name."""

    cameras: list[CameraAnswer]
    total: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="Address of the next page; null on the last.")


class FoundFace(BaseModel):
    """One face in the newest analysed frame."""

    box: Box = Field(description="x_min, y_min, x_max, y_max in pixels; max edges exclusive.")
    score: float = Field(description="The detector's, that this is a face.")
    verdict: Verdict
    confidence: float
    track_id: int


class FacesAnswer(BaseModel):
    """The newest analysed frame; nulls before the first."""

    camera_id: str
    frame_index: int | None
    sequence: int | None
    captured_at_s: float | None
    analysed_at_s: float | None
    age_s: float | None
    width: int | None
    height: int | None
    detector: str | None
    faces: list[FoundFace]
    in_view: Counts
    quality: Quality


class FacePx(BaseModel):
    """Heights of people's faces where they were largest; nulls before anyone has passed."""

    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class FitnessAnswer(BaseModel):
    """Whether masks can be measured at a camera, and if not, why and what to do."""

    camera_id: str
    verdict: FitnessVerdict
    reasons: list[UnfitReason]
    words: str
    advice: list[str]
    people: int = Field(description="People this rests on.")
    judged_share: float | None
    face_px: FacePx
    looks: dict[str, float | None] = Field(description="Shares of faces that look so.")


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


class ConnectionState(BaseModel):
    """The connection came into a state."""

    state: CameraState
    since_s: float
    error_kind: str
    error: str


class ConnectionsAnswer(BaseModel):
    """What a camera's connection did last, the newest first."""

    camera_id: str
    connections: list[ConnectionState]


class NamedCamera(BaseModel):
    """A camera by id and name."""

    id: str
    name: str


class ComplianceAnswer(BaseModel):
    """Compliance of some cameras together over a range, as a whole and step by step."""

    cameras: list[NamedCamera]
    step: str
    tz: str
    total: CompliancePoint
    points: list[CompliancePoint]
