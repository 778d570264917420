"""What the API tells of the present: a camera as it is now, and what comes in events."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from contract.alerts.rules import AlertKind
from contract.cameras.camera import Camera
from contract.cameras.quality import FitnessStatus
from contract.cameras.quality import Problem as PictureProblem
from contract.cameras.status import CameraState
from dashboard.compliance.answers import PersonRow
from dashboard.web.answers import FROM_RECORD, Counts, Rate


class ConnectionStatus(BaseModel):
    """What ingest says of a camera."""

    model_config = FROM_RECORD

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

    model_config = FROM_RECORD

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
    fitness: FitnessStatus
    alerts: list[OpenAlert] = Field(description="Open at this camera, the newest first.")


class StateEvent(BaseModel):
    """A camera's state: when the stream begins, and when it changes."""

    camera_id: str
    camera: str
    group: str
    state: CameraState
    since_s: float
    error_kind: str
    error: str
    reason: str = Field(description="Why there is no fresh picture; empty when there is one.")
    problems: list[PictureProblem] = Field(description="What is wrong with the picture.")


class PersonEvent(PersonRow):
    """Somebody was counted. The only event with an `id:`."""

    camera_id: str
    camera: str


class CameraEvent(BaseModel):
    """`removed`: the camera is gone. `gap`: some of its people since `Last-Event-ID` are lost."""

    camera_id: str


class DetailEvent(BaseModel):
    """`trouble`: nothing is known of any camera now. `behind`: the stream ends; begin it again."""

    detail: str


EVENTS: Final[dict[str, type[BaseModel]]] = {
    "state": StateEvent,
    "person": PersonEvent,
    "removed": CameraEvent,
    "gap": CameraEvent,
    "trouble": DetailEvent,
    "behind": DetailEvent,
}
"""What comes in an event, by its type."""
