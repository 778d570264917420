"""Steps, zones and times as queries write them."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from contract.alerts.schedule import zone_names
from contract.errors import QueryError
from contract.people.minutes import MINUTE_S
from reports.time_range import DAY_S

NAMED_STEPS_S: Final = {"minute": 60, "hour": 3600, "day": DAY_S}


def parse_step(text: str) -> int:
    """Read `minute`, `hour`, `day` or seconds; return seconds. Raises `QueryError`.

    Seconds are a multiple of 60, and from a day on a multiple of 86400.
    """
    step_s = NAMED_STEPS_S.get(text) or (int(text) if re.fullmatch(r"\d{1,9}", text) else 0)
    unit_s = MINUTE_S if step_s < DAY_S else DAY_S
    if step_s < MINUTE_S or step_s % unit_s:
        raise QueryError(
            f"step: expected minute, hour, day, or seconds in multiples of 60 (of 86400 from a "
            f"day on); found {text[:40]}"
        )
    return step_s


def parse_zone(text: str) -> ZoneInfo:
    """Return the IANA time zone of that name; raises `QueryError`."""
    # Not by trying: that goes through folders, and too deep for a name of a thousand of them.
    if text not in zone_names():
        raise QueryError(
            f"tz: expected an IANA time zone such as UTC or Europe/Berlin; found {text[:40]}"
        )
    return ZoneInfo(text)


def parse_time(name: str, text: str, zone: tzinfo) -> float:
    """Read RFC 3339 or seconds since the epoch; a time without an offset is one in `zone`.

    Raises:
        QueryError: it is neither, with `name`, the parameter it came in.
    """
    try:
        if re.fullmatch(r"-?\d{1,12}(\.\d*)?", text):
            return float(text)
        # A plus sign that was not escaped in an address arrives as a space.
        moment = datetime.fromisoformat(re.sub(r"(?<=:\d\d) (?=\d\d:\d\d$)", "+", text))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise QueryError(
            f"{name}: expected a time such as 2026-11-24T08:00:00Z or seconds since the epoch; "
            f"found {text[:40]}"
        ) from None
