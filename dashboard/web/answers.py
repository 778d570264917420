"""Parts that several answers of the API have in common."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bus.connection.trouble import Trouble
from contract.people.verdicts import Verdict

Counts = dict[Verdict, int]
Box = tuple[float, float, float, float]


class Problem(BaseModel):
    """What went wrong."""

    error: str = Field(description="A stable name.")
    detail: str = Field(description="Plain words, with what to do about it.")
    cause: Trouble | None = Field(
        None, description="Of `redis_unavailable`: what is wrong with Redis."
    )


class Rate(BaseModel):
    """mask / (mask + incorrect + no_mask), with its 95 % Wilson interval."""

    people: int = Field(description="Judged people, the n of the rate.")
    rate: float | None
    low: float | None
    high: float | None


class NamedCamera(BaseModel):
    """A camera by id and name."""

    id: str
    name: str
