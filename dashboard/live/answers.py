"""What comes in the events that the API sends, as the document describes it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from contract.cameras.quality import Problem as PictureProblem
from contract.cameras.status import CameraState
from dashboard.compliance.answers import PersonRow


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
