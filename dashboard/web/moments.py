"""How pages that the server writes say when something was."""

from __future__ import annotations

import time


def moment(seconds: float) -> str:
    """A time on the server's clock, to the minute, with its time zone."""
    return time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(seconds))
