"""Answers of the API about the present: the state of a camera, and events."""

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
    """The state of a camera's connection, reported by ingest."""

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
    broken: int = Field(
        description="Packets and pictures since connecting that could not be decoded."
    )


class QualityProblem(BaseModel):
    """A problem of a camera's picture."""

    problem: PictureProblem
    since_s: float
    words: str


class Quality(BaseModel):
    """Whether a camera's picture is reliable now."""

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
    """A camera: its settings, its state and its faces. `source` comes without the password."""

    version: str = Field(description="Version of the settings, for `If-Match`.")
    status: ConnectionStatus
    reason: str = Field(description="Reason why there is no fresh picture; empty if there is one.")
    faces: Counts = Field(description="Faces in view now.")
    people: Counts = Field(description="People counted so far.")
    compliance: Rate
    last_hour: Rate | None = Field(
        description="Rate of the last 60 minutes, a few seconds old; null until the first reading."
    )
    picture_age_s: float | None
    picture_at_s: float | None
    stale_after_s: float = Field(description="Age from which a picture must not look live.")
    quality: Quality
    fitness: FitnessStatus
    alerts: list[OpenAlert] = Field(description="Open alerts of this camera, newest first.")


class StateEvent(BaseModel):
    """A camera's state, sent when the stream begins and whenever the state changes."""

    camera_id: str
    camera: str
    group: str
    state: CameraState
    since_s: float
    error_kind: str
    error: str
    reason: str = Field(description="Reason why there is no fresh picture; empty if there is one.")
    problems: list[PictureProblem] = Field(description="Problems of the picture.")


class PersonEvent(PersonRow):
    """A person was counted. Only this event has an `id:`."""

    camera_id: str
    camera: str


class CameraEvent(BaseModel):
    """`removed`: the camera is gone. `gap`: some of its people since `Last-Event-ID` are lost."""

    camera_id: str


class DetailEvent(BaseModel):
    """`trouble`: no camera's state is known now. `behind`: the client was too slow; reconnect."""

    detail: str


EVENTS: Final[dict[str, type[BaseModel]]] = {
    "state": StateEvent,
    "person": PersonEvent,
    "removed": CameraEvent,
    "gap": CameraEvent,
    "trouble": DetailEvent,
    "behind": DetailEvent,
}
"""The model of each type of event."""
