"""Periods by name, and the period with which each is compared. Pure arithmetic on local clocks."""

from __future__ import annotations

import math
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal, get_args

from contract.people.minutes import MINUTE_S

PeriodName = Literal["today", "yesterday", "7d", "30d", "month", "last_month"]
PERIOD_NAMES: Final[tuple[PeriodName, ...]] = get_args(PeriodName)
Span = tuple[float, float]
"""From and to, in seconds since the epoch."""


def named_period(name: PeriodName, now_s: float, zone: tzinfo) -> Span:
    """Return a period of local days. One that still runs ends with the minute that runs now."""
    today = datetime.fromtimestamp(now_s, zone).date()
    until_now_s = now_s + MINUTE_S
    match name:
        case "yesterday":
            return midnight(today - timedelta(days=1), zone), midnight(today, zone)
        case "last_month":
            first = today.replace(day=1)
            return midnight(months_before(first, 1), zone), midnight(first, zone)
        case "month":
            return midnight(today.replace(day=1), zone), until_now_s
        case _:
            days = {"today": 1, "7d": 7, "30d": 30}[name]
            return midnight(today - timedelta(days=days - 1), zone), until_now_s


def before(from_s: float, to_s: float, zone: tzinfo) -> Span:
    """Return the period with which one is compared.

    Whole months are compared with as many months before. Everything else is compared with the same
    clock times as many days earlier as it has days: this morning with yesterday morning.
    """
    begin, end = (datetime.fromtimestamp(one, zone) for one in (from_s, to_s))
    months = (end.year - begin.year) * 12 + end.month - begin.month
    if months and _begins_month(begin) and _begins_month(end):
        return midnight(months_before(begin.date(), months), zone), from_s
    days = max(1, (end.date() - begin.date()).days + (end.time() > begin.time()))
    earlier = [_days_before(one, days, zone) for one in (begin, end)]
    to_s = min(earlier[1], from_s)
    return min(earlier[0], to_s - MINUTE_S), to_s


def _days_before(moment: datetime, days: int, zone: tzinfo) -> float:
    local = moment.replace(tzinfo=None) - timedelta(days=days)
    return local.replace(tzinfo=zone).timestamp()


def _begins_month(moment: datetime) -> bool:
    return moment.day == 1 and moment.time() == time()


def months_before(first: date, months: int) -> date:
    """Return the first day of a month so many months before another's first day."""
    number = first.year * 12 + first.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def midnight(day: date, zone: tzinfo) -> float:
    """Return when a local day begins, in whole seconds since the epoch."""
    return math.floor(datetime.combine(day, time(), zone).timestamp())
