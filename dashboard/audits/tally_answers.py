"""Requests and answers of the API about tallies."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from contract.people.tallies import LONGEST_S, SETTLED_S, Tally, Times
from dashboard.web.answers import FROM_RECORD


class NewTally(BaseModel):
    """What somebody saw of a camera's people."""

    model_config = ConfigDict(extra="forbid")

    from_s: float = Field(ge=0, description="Capture time of the picture at the beginning.")
    until_s: float = Field(
        description=f"Capture time at the end: at most {LONGEST_S:.0f} s later, and at least "
        f"{SETTLED_S:.0f} s ago, because somebody is counted a little after they left."
    )
    seen: Times = Field(description="Capture time of the picture that each person left.")


class TallyAnswer(BaseModel):
    """A tally, beside what Maskwatch counted in the same seconds."""

    model_config = FROM_RECORD

    id: str
    by: str
    from_s: float
    until_s: float
    seen: int = Field(description="People whom somebody saw leave the picture.")
    counted: int = Field(description="People whom Maskwatch counted.")
    both: int = Field(description="People seen and counted at about the same time.")
    missed: int = Field(description="People seen and not counted.")
    too_many: int = Field(description="People counted and not seen: twice, or things.")

    @classmethod
    def of(cls, tally: Tally) -> TallyAnswer:
        """A tally's answer."""
        shown = {name: getattr(tally, name) for name in cls.model_fields}
        return cls(**{**shown, "seen": len(tally.seen), "counted": len(tally.counted)})


class TalliesAnswer(BaseModel):
    """The last tallies of a camera, newest first."""

    camera_id: str
    tallies: list[TallyAnswer]
