"""A period over all cameras that the client may see, for the page and the API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from contract.errors import QueryError
from contract.people.minutes import MINUTE_S
from dashboard.accounts.access import visible_cameras
from dashboard.services import services
from dashboard.web.time_range import parse_time, parse_zone
from reports.named_periods import PeriodName, named_period
from reports.periods import PeriodSummary, summarise

DEFAULT_PERIOD: Final[PeriodName] = "7d"


class PeriodQuery(BaseModel):
    """Selects a period: by name, or from one time to another."""

    period: PeriodName | None = Field(
        None, description="A period of local days, up to now. Default: the last 7 days."
    )
    from_: str | None = Field(
        None, alias="from", description="A day, RFC 3339 or seconds since the epoch."
    )
    to: str | None = Field(
        None, description="The last day, RFC 3339 or seconds since the epoch. Default: now."
    )
    tz: str = Field("UTC", description="IANA time zone of days and hours.")


@dataclass(frozen=True)
class Overview:
    """A period's sums, and the query that asked for it."""

    summary: PeriodSummary
    name: PeriodName | None
    """None for a period by its times."""
    zone: ZoneInfo
    now_s: float


def overview(query: PeriodQuery) -> Overview:
    """Add up the period for all cameras that the client may see.

    Raises:
        QueryError: the query names both a period and times, or times that cannot be.
        HistoryNotSummedError: after an upgrade, older days are still being added up.
    """
    zone, now_s, name = parse_zone(query.tz), services().clock(), query.period
    if query.from_ is None and query.to is not None:
        raise QueryError("to: it needs a `from` beside it")
    if query.from_ is not None:
        if name is not None:
            raise QueryError("period, from: expected one of them")
        from_s = parse_time("from", query.from_, zone)
        to_s = now_s + MINUTE_S if query.to is None else _end("to", query.to, zone)
    else:
        name = name or DEFAULT_PERIOD
        from_s, to_s = named_period(name, now_s, zone)
    cameras = visible_cameras(services().cameras.all())
    found = summarise(
        services().history, cameras, services().audits.known_errors(), from_s, to_s, zone, now_s
    )
    return Overview(found, name, zone, now_s)


def _end(name: str, text: str, zone: ZoneInfo) -> float:
    """Return when a period ends that is told by its last moment, or by its last day."""
    end_s = parse_time(name, text, zone)
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return end_s
    midnight = datetime.fromtimestamp(end_s, zone).replace(tzinfo=None)
    return (midnight + timedelta(days=1)).replace(tzinfo=zone).timestamp()
