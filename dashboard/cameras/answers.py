"""What the API answers about cameras."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, create_model

from contract.alerts.rules import AlertKind
from contract.cameras.camera import Camera
from contract.cameras.quality import FitnessVerdict, UnfitReason
from contract.cameras.quality import Problem as PictureProblem
from contract.cameras.status import CameraState
from contract.people.verdicts import Verdict
from dashboard.web.answers import Box, Counts, Rate


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
        name: (field.annotation, ...)
        for name, field in Camera.model_fields.items()
        if not field.exclude
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
