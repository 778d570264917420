"""What the API takes and gives, as the document describes it.

Requests are made from the records that check them, so that the two cannot differ. Answers are
written down here and compared with real ones by the tests that generate requests.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from contract.cameras import CHANGEABLE, Camera
from contract.people import Direction
from contract.quality import FitnessVerdict, UnfitReason
from contract.quality import Problem as PictureProblem
from contract.status import CONNECTIONS_KEPT, CameraState
from contract.verdicts import Verdict

Counts = dict[Verdict, int]
Box = tuple[float, float, float, float]


class Problem(BaseModel):
    """What went wrong."""

    error: str = Field(description="A stable name.")
    detail: str = Field(description="Plain words, with what to do about it.")


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

    status: ConnectionStatus
    reason: str = Field(description="Why there is no fresh picture; empty when there is one.")
    faces: Counts = Field(description="Faces in view now.")
    people: Counts = Field(description="People counted so far.")
    compliance: Rate
    picture_age_s: float | None
    picture_at_s: float | None
    stale_after_s: float = Field(description="Age at which a picture must not look live.")
    quality: Quality
    fitness: FitnessVerdict


class CameraList(BaseModel):
    """A page of cameras, by name."""

    cameras: list[CameraAnswer]
    total: int = Field(description="How many there are on all pages.")
    next: str | None = Field(description="Address of the next page; null on the last.")


def _no_default(schema: dict[str, Any]) -> None:
    """A field that is left out of a change has no default: it stays as it is."""
    schema.pop("default", None)


def _from_record(name: str, words: str, required: frozenset[str]) -> type[BaseModel]:
    """A request that sets a camera's fields, as the record itself describes them.

    Without `required` fields it is a change.
    """
    fields: dict[str, Any] = {}
    for field_name in Camera.model_fields:
        field = Camera.model_fields[field_name]
        if field_name not in CHANGEABLE:
            continue
        default = field.default if required else None
        fields[field_name] = (
            field.rebuild_annotation(),
            ...
            if field_name in required
            else Field(default, json_schema_extra=None if required else _no_default),
        )
    return create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=words, **fields)


NewCamera = _from_record("NewCamera", "A camera to register.", frozenset({"name", "source"}))
CameraChange = _from_record(
    "CameraChange",
    "Fields to change; the others stay. The redacted `source` sent back keeps the password.",
    frozenset(),
)


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


class UploadedFace(BaseModel):
    """One face in an uploaded image."""

    box: Box = Field(description="x_min, y_min, x_max, y_max in pixels of the upright image.")
    score: float
    verdict: Verdict
    confidence: float
    probabilities: dict[str, float] = Field(description="Empty for a face too small to judge.")


class UploadedImage(BaseModel):
    """One uploaded image."""

    name: str
    picture: str = Field(description="Address of the image with its faces drawn.")
    width: int
    height: int
    detector: str
    faces: list[UploadedFace]


class AnalysisAnswer(BaseModel):
    """What was found in uploaded images, for who uploaded them alone."""

    id: str
    state: Literal["queued", "running", "finished", "failed"]
    expires_in_s: int
    images: list[UploadedImage]


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


class ProbeRequest(BaseModel):
    """An address to try, or a saved camera whose password is hidden."""

    model_config = ConfigDict(extra="forbid")

    source: str | None = Field(None, max_length=2000)
    camera_id: str | None = None


class ProbeStarted(BaseModel):
    """A probe in the queue."""

    id: str
    state: Literal["queued"]


class ProbeAnswer(BaseModel):
    """A probe: `result` is null until it has finished or failed."""

    id: str
    state: Literal["queued", "running", "finished", "failed"]
    result: dict[str, Any] | None
    jobs_processes: int = Field(description="Processes that could take it up; 0 explains a wait.")


class CameraListQuery(BaseModel):
    """Which cameras."""

    limit: int = Field(200, ge=1, le=1000, description="Cameras on a page.")
    offset: int = Field(0, ge=0, le=1_000_000, description="Cameras before the page.")
    group: str | None = Field(None, max_length=80, description="Only cameras of this group.")


class ConnectionsQuery(BaseModel):
    """How many states."""

    limit: int = Field(50, ge=1, le=CONNECTIONS_KEPT)


class PeopleQuery(BaseModel):
    """Which people."""

    limit: int = Field(100, ge=1, le=1000)
    before: str | None = Field(
        None, pattern=r"^\d{1,19}-\d{1,19}$", description="Only those counted before this row's id."
    )


class ComplianceQuery(BaseModel):
    """Which cameras, which range, which steps."""

    camera: list[str] = Field([], description="Id or name; all cameras together without one.")
    from_: str | None = Field(
        None, alias="from", description="RFC 3339 or seconds since the epoch; a day before `to`."
    )
    to: str | None = Field(None, description="RFC 3339 or seconds since the epoch; now.")
    step: str = Field("hour", description="`minute`, `hour`, `day`, or seconds: multiples of 60.")
    tz: str = Field("UTC", description="IANA time zone of the steps.")
    format: Literal["json", "csv"] | None = Field(None, description="Or by the header `Accept`.")
