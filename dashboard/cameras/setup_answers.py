"""Answers of the API about setting cameras up: tests of addresses, and imports of many cameras."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from contract.cameras.probes import ProbeResult, ProbeStep
from dashboard.web.answers import FROM_RECORD, Problem


class ImportedField(BaseModel):
    """A field before and after the change; an address comes without its password."""

    model_config = FROM_RECORD

    field: str
    before: Any
    after: Any


class ImportProblem(BaseModel):
    """A reason to refuse a camera."""

    model_config = FROM_RECORD

    field: str = Field(description="Empty if the reason concerns the whole camera.")
    detail: str


class ImportedCamera(BaseModel):
    """The outcome for one camera."""

    line: int | None = Field(description="Its line in the file; null if the file lacks it.")
    id: str | None = Field(description="Null for a new camera.")
    name: str
    outcome: Literal["added", "changed", "unchanged", "refused", "removed"]
    changes: list[ImportedField]
    problems: list[ImportProblem]
    people: int | None = Field(
        description="People counted at a camera that is removed, which are deleted with it; "
        "null for other cameras."
    )


class ImportAnswer(BaseModel):
    """The changes that an import made, or would make."""

    revision: str = Field(
        description="Version of all settings. Sent as `If-Match`, it allows only the changes shown."
    )
    applied: bool = Field(description="False for a dry run, and if cameras were refused.")
    counts: dict[str, int] = Field(description="Cameras by outcome.")
    cameras: list[ImportedCamera]


class ImportRefusal(ImportAnswer, Problem):
    """The import was refused because of cameras, the file or the query; nothing changed."""


class ProbeStarted(BaseModel):
    """A probe in the queue."""

    id: str
    state: Literal["queued"]


class ProbeProgress(BaseModel):
    """A started step of a probe."""

    step: ProbeStep
    after_s: float = Field(description="Seconds since the probe began.")


ProbeState = Literal["queued", "running", "finished", "failed"]


class ProbeAnswer(BaseModel):
    """A probe: `result` is null until it has finished or failed."""

    id: str
    state: ProbeState
    steps: list[ProbeProgress] = Field(
        description="Started steps; the last one is running, or has failed."
    )
    result: ProbeResult | None
    jobs_processes: int = Field(
        description="Number of processes that run probes; 0 explains a wait."
    )
