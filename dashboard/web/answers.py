"""Parts that several answers of the API share."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from bus.connection.trouble import Trouble
from contract.people.compliance import MaskRate
from contract.people.corrected_rate import CorrectedRate
from contract.people.verdicts import Verdict

Counts = dict[Verdict, int]
Box = tuple[float, float, float, float]
FROM_RECORD: Final = ConfigDict(from_attributes=True)
"""Configuration of answers that are read from a record with the same field names."""


class Problem(BaseModel):
    """An error."""

    error: str = Field(description="Stable name of the error.")
    detail: str = Field(description="Explanation in plain words, with advice.")
    cause: Trouble | None = Field(
        None, description="Only for `redis_unavailable`: the cause at Redis."
    )


class Rate(BaseModel):
    """mask / (mask + incorrect + no_mask), with its 95 % Wilson interval."""

    people: int = Field(description="Number of people with a verdict.")
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, found: MaskRate) -> Rate:
        """The rate, in four decimal places."""
        bounds = {"rate": found.rate, "low": found.low, "high": found.high}
        shares = {name: None if x is None else round(x, 4) for name, x in bounds.items()}
        return cls(people=found.people, **shares)


class RateWithCorrection(Rate):
    """A rate as observed, and corrected for wrong and missing verdicts."""

    corrected_rate: float | None = Field(
        description="The share that would be found without errors of classification."
    )
    corrected_low: float | None = Field(
        description="Its 95 % interval, which also carries how well the errors are known."
    )
    corrected_high: float | None
    audited: bool = Field(
        description="Whether the errors are known from audits of all these cameras; otherwise, "
        "of those without, from other films."
    )

    @classmethod
    def of_both(cls, found: MaskRate, corrected: CorrectedRate) -> RateWithCorrection:
        """The rates, in four decimal places."""
        bounds = {
            "corrected_rate": corrected.rate,
            "corrected_low": corrected.low,
            "corrected_high": corrected.high,
        }
        shares = {name: None if x is None else round(x, 4) for name, x in bounds.items()}
        return cls(**vars(Rate.of(found)), **shares, audited=corrected.audited)


class NamedCamera(BaseModel):
    """A camera by id and name."""

    id: str
    name: str
