"""What the API answers to who sets cameras up: tests of addresses, imports of many at once."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from contract.cameras.probes import ProbeResult, ProbeStep
from dashboard.web.answers import FROM_RECORD, Problem


class ImportedField(BaseModel):
    """A field before and after; of an address, without the password."""

    model_config = FROM_RECORD

    field: str
    before: Any
    after: Any


class ImportProblem(BaseModel):
    """Why a camera is refused."""

    model_config = FROM_RECORD

    field: str = Field(description="Empty where it is about the whole camera.")
    detail: str


class ImportedCamera(BaseModel):
    """What happens to one camera."""

    line: int | None = Field(description="Where it is in the file; null when it is not.")
    id: str | None = Field(description="Null for a new one.")
    name: str
    outcome: Literal["added", "changed", "unchanged", "refused", "removed"]
    changes: list[ImportedField]
    problems: list[ImportProblem]
    people: int | None = Field(
        description="People counted at a camera that is removed, which are deleted with it; "
        "null for other cameras."
    )


class ImportAnswer(BaseModel):
    """What an import changed, or would change."""

    revision: str = Field(
        description="Of all cameras' settings; sent as `If-Match`, only what was shown is done."
    )
    applied: bool = Field(description="False for a dry run, and where cameras were refused.")
    counts: dict[str, int] = Field(description="Cameras by outcome.")
    cameras: list[ImportedCamera]


class ImportRefusal(ImportAnswer, Problem):
    """Cameras are refused, so nothing was changed; or the file or the query cannot be used."""


class ProbeStarted(BaseModel):
    """A probe in the queue."""

    id: str
    state: Literal["queued"]


class ProbeProgress(BaseModel):
    """A step of a probe that has begun."""

    step: ProbeStep
    after_s: float = Field(description="Seconds since the probe began.")


ProbeState = Literal["queued", "running", "finished", "failed"]


class ProbeAnswer(BaseModel):
    """A probe: `result` is null until it has finished or failed."""

    id: str
    state: ProbeState
    steps: list[ProbeProgress] = Field(description="Those begun; the last runs, or failed.")
    result: ProbeResult | None
    jobs_processes: int = Field(description="Processes that could take it up; 0 explains a wait.")
