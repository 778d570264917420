"""Answers of the API about a period."""

from __future__ import annotations

from datetime import tzinfo
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from dashboard.compliance.answers import clock_time
from dashboard.web.answers import Counts, Rate, RateWithCorrection
from reports.periods import Compared
from reports.report import Point
from reports.week import WeekHour


class Sums(BaseModel):
    """One span. People and rate are null if no frame was analysed in it."""

    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    from_s: int
    to_s: int
    people: Counts | None
    compliance: Rate | None
    unknown_share: float | None
    watched_s: float = Field(description="Seconds in which the cameras were there, together.")
    analysed_s: float
    missing_s: float = Field(description="`watched_s` - `analysed_s`.")
    invalid_s: dict[str, float] = Field(description="Seconds with an unreliable picture.")

    @classmethod
    def of(cls, point: Point, zone: tzinfo) -> Self:
        """A span, its ends told by the clocks of `zone`."""
        gap, unknown = point.is_gap, point.unknown_share
        return cls(
            from_=clock_time(point.from_s, zone),
            to=clock_time(point.to_s, zone),
            from_s=point.from_s,
            to_s=point.to_s,
            people=None if gap else point.people,
            compliance=None if gap else Rate.of(point.rate),
            unknown_share=None if gap or unknown is None else round(unknown, 4),
            watched_s=round(point.watched_s, 3),
            analysed_s=round(point.analysed_s, 3),
            missing_s=round(point.missing_s, 3),
            invalid_s=point.invalid_s,
        )


class PeriodSums(Sums):
    """The period asked for."""

    compliance: RateWithCorrection | None

    @classmethod
    def of_both(cls, compared: Compared, zone: tzinfo) -> Self:
        """A period with its corrected rate."""
        point = compared.period
        rate = None if point.is_gap else RateWithCorrection.of_both(point.rate, compared.corrected)
        return cls(**{**dict(Sums.of(point, zone)), "compliance": rate})


class Both(BaseModel):
    """The period, and the period before."""

    period: PeriodSums
    before: Sums


class CameraOverview(Both):
    """One camera."""

    id: str
    name: str


class GroupOverview(Both):
    """A group of cameras. Somebody who passes two of them counts at both."""

    group: str = Field(description="Empty for cameras without a group.")
    cameras: list[CameraOverview]


class HourOfWeek(BaseModel):
    """One hour of the week, all its occurrences in the period together."""

    people: Counts | None
    compliance: Rate | None

    @classmethod
    def of(cls, hour: WeekHour) -> Self:
        """An hour; null where nothing was analysed."""
        if hour.is_gap:
            return cls(people=None, compliance=None)
        return cls(people=dict(hour.people), compliance=Rate.of(hour.rate))


class OverviewAnswer(Both):
    """All cameras together. Somebody who passes two of them counts at both."""

    tz: str
    groups: list[GroupOverview]
    week: list[list[HourOfWeek]] = Field(description="Monday to Sunday, hours 0 to 23 of `tz`.")
