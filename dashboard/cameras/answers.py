"""What the API answers about cameras."""

from __future__ import annotations

from pydantic import BaseModel, Field

from contract.cameras.quality import FitnessStatus, UnfitReason
from contract.cameras.status import CameraState
from contract.people.verdicts import Verdict
from dashboard.live.answers import CameraAnswer, Quality
from dashboard.web.answers import FROM_RECORD, Box, Counts


class CameraList(BaseModel):
    """A page of cameras, by name."""

    cameras: list[CameraAnswer]
    total: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="Address of the next page; null on the last.")


class FoundFace(BaseModel):
    """One face in the newest analysed frame."""

    model_config = FROM_RECORD

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
    status: FitnessStatus
    verdict: FitnessStatus = Field(deprecated=True, description="Former name of `status`.")
    reasons: list[UnfitReason]
    words: str
    advice: list[str]
    people: int = Field(description="People this rests on.")
    judged_share: float | None
    face_px: FacePx
    looks: dict[str, float | None] = Field(description="Shares of faces that look so.")


class ConnectionState(BaseModel):
    """The connection came into a state."""

    model_config = FROM_RECORD

    state: CameraState
    since_s: float
    error_kind: str
    error: str


class ConnectionsAnswer(BaseModel):
    """What a camera's connection did last, the newest first."""

    camera_id: str
    connections: list[ConnectionState]
