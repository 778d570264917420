"""Parts that several answers of the API have in common."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from bus.connection.trouble import Trouble
from contract.people.compliance import MaskRate
from contract.people.verdicts import Verdict

Counts = dict[Verdict, int]
Box = tuple[float, float, float, float]
FROM_RECORD: Final = ConfigDict(from_attributes=True)
"""Of an answer that is read from the record with fields of the same names."""


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

    @classmethod
    def of(cls, found: MaskRate) -> Rate:
        """The rate, in four decimal places."""
        bounds = {"rate": found.rate, "low": found.low, "high": found.high}
        shares = {name: None if x is None else round(x, 4) for name, x in bounds.items()}
        return cls(people=found.people, **shares)


class NamedCamera(BaseModel):
    """A camera by id and name."""

    id: str
    name: str
