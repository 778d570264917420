"""When a rule may open alerts: hours of the wall clock on some days of the week."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cache
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = get_args(Day)
_CLOCK: Final = r"^([01]\d|2[0-3]):[0-5]\d$"


@cache
def zone_names() -> frozenset[str]:
    """The IANA time zones that this machine knows."""
    return frozenset(available_timezones())


def known_zone(name: str) -> str:
    """Return the name of a time zone; raise `ValueError` for one that this machine lacks."""
    if name not in zone_names():
        raise ValueError("expected an IANA time zone, such as Europe/Berlin or UTC")
    return name


def _in_order(days: tuple[Day, ...]) -> tuple[Day, ...]:
    if not days:
        raise ValueError("expected at least one day")
    return tuple(day for day in DAYS if day in days)


class Schedule(BaseModel):
    """Days and hours in local time of a time zone.

    Hours that do not end later than they begin run past midnight and belong to the day on which
    they begin. When clocks change, a skipped hour does not occur, and a repeated hour occurs twice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    days: Annotated[tuple[Day, ...], AfterValidator(_in_order)] = DAYS
    begin: str = Field("00:00", pattern=_CLOCK, description="`HH:MM` at which the hours begin.")
    end: str = Field(
        "00:00",
        pattern=_CLOCK,
        description="`HH:MM` at which they end; on the next day unless later than `begin`.",
    )
    tz: Annotated[str, AfterValidator(known_zone)] = Field(
        "UTC", max_length=64, description="IANA time zone."
    )

    def covers(self, now_s: float) -> bool:
        """Whether a moment (seconds since the epoch) is within the hours.

        >>> Schedule(days=("fri",), begin="22:00", end="06:00").covers(86400 + 23 * 3600)
        True
        """
        local = datetime.fromtimestamp(now_s, ZoneInfo(self.tz))
        begin, end, clock = (
            time.fromisoformat(self.begin),
            time.fromisoformat(self.end),
            local.time(),
        )
        today, yesterday = DAYS[local.weekday()], DAYS[(local - timedelta(days=1)).weekday()]
        if begin < end:
            return today in self.days and begin <= clock < end
        return (today in self.days and clock >= begin) or (yesterday in self.days and clock < end)

    def words(self) -> str:
        """Return the schedule in words: `mon to fri, 06:00 to 22:00, Europe/Berlin`."""
        days = "every day" if self.days == DAYS else ", ".join(self.days)
        hours = "all day" if self.begin == self.end == "00:00" else f"{self.begin} to {self.end}"
        return f"{days}, {hours}, {self.tz}"
