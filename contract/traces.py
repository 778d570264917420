"""The trace that a frame belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    pass


Trace = str
"""A span's id in the form of `traceparent`; "" for a frame that is not traced."""


_TRACE: Final = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def read_trace(raw: object) -> Trace:
    """Return the trace in a message; "" if it is invalid: a bad trace must not cost a frame."""
    return raw.decode() if isinstance(raw, bytes) and _TRACE.fullmatch(raw) else ""
