"""Answers of the API about cameras."""

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
    total: int = Field(description="Number of cameras on all pages.")
    next: str | None = Field(description="Address of the next page; null on the last.")


class FoundCamera(BaseModel):
    """A camera that was found by words."""

    id: str
    name: str
    group: str
    state: CameraState


class FoundCameras(BaseModel):
    """The first of the cameras that have the words, by name."""

    cameras: list[FoundCamera]
    total: int = Field(description="How many have them.")


class FoundFace(BaseModel):
    """One face in the newest analysed frame."""

    model_config = FROM_RECORD

    box: Box = Field(description="x_min, y_min, x_max, y_max in pixels; max edges exclusive.")
    score: float = Field(description="The detector's confidence that this is a face, 0 to 1.")
    verdict: Verdict
    confidence: float
    track_id: int


class FacesAnswer(BaseModel):
    """The newest analysed frame; nulls before the first frame."""

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
    """Quartiles of people's largest face heights; nulls before the first person."""

    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None


class FitnessAnswer(BaseModel):
    """Whether masks can be measured at a camera, and if not, the reasons and advice."""

    camera_id: str
    status: FitnessStatus
    verdict: FitnessStatus = Field(deprecated=True, description="Former name of `status`.")
    reasons: list[UnfitReason]
    words: str
    advice: list[str]
    people: int = Field(description="Number of people behind these figures.")
    judged_share: float | None
    face_px: FacePx
    looks: dict[str, float | None] = Field(description="Shares of faces with each problem, 0 to 1.")


class ConnectionState(BaseModel):
    """A state of the connection, and its beginning."""

    model_config = FROM_RECORD

    state: CameraState
    since_s: float
    error_kind: str
    error: str


class ConnectionsAnswer(BaseModel):
    """The last states of a camera's connection, newest first."""

    camera_id: str
    connections: list[ConnectionState]
