"""Answers of the API about uploads and browsers' webcams."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from contract.people.verdicts import Verdict
from dashboard.web.answers import Box, Counts, Rate


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


class UploadAnswer(BaseModel):
    """Uploaded images with their faces, visible only to the uploader."""

    id: str
    state: Literal["queued", "running", "finished", "failed"]
    expires_in_s: int
    images: list[UploadedImage]


class WebcamAnswer(BaseModel):
    """A browser's webcam as a camera, and the pictures that it expects."""

    id: str
    name: str
    fps: float = Field(description="Pictures a second to send.")
    most_pixels: int
    silent_s: float = Field(description="The webcam ends after this long without a picture.")


class RecordedPerson(BaseModel):
    """A person in a recording; times in seconds from its beginning."""

    first_seen_s: float
    last_seen_s: float
    verdict: Verdict
    confidence: float
    best_face_px: float
    sightings: int


class RecordedCounts(BaseModel):
    """People by verdict, and the rate."""

    people: Counts
    compliance: Rate


class RecordedStep(RecordedCounts):
    """Part of a recording's time. A person counts in the step of the last sighting."""

    from_s: float
    to_s: float


class RecordingReport(BaseModel):
    """The report on a recording."""

    duration_s: float
    width: int
    height: int
    frames: int = Field(description="Frames analysed.")
    faces: int = Field(description="Faces in those frames.")
    people: list[RecordedPerson]
    codec: str
    skipped: int = Field(0, description="Packets and pictures that could not be decoded.")
    skipped_spans_s: list[tuple[float, float]] = Field(
        [], description="From when to when they would have been shown; at most 100 spans."
    )
    analysed_s: float = Field(0.0, description="Seconds with pictures that could be decoded.")
    missing_at_end_s: float = Field(
        0.0, description="Seconds that the file states and does not hold."
    )
    assumed_fps: float = Field(
        0.0, description="The rate from which times come if the file holds none; otherwise 0."
    )
    cut_short: bool = Field(
        False, description="Whether the file ends in the middle of a picture or a packet."
    )
    took_s: float
    times_real_time: float | None = Field(description="Speed of the analysis relative to the film.")
    total: RecordedCounts
    steps: list[RecordedStep]


class RecordingAnswer(BaseModel):
    """An uploaded recording, visible only to its uploader."""

    id: str
    name: str
    state: Literal["uploading", "queued", "running", "finished", "failed"]
    progress: float = Field(description="Share analysed so far, 0 to 1.")
    error: str = Field(description="Reason of the failure; empty unless failed.")
    created_at_s: float
    expires_in_s: int
    report: RecordingReport | None


class RecordingsAnswer(BaseModel):
    """Your recordings, newest first."""

    recordings: list[RecordingAnswer]
