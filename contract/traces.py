"""Which trace a frame belongs to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    pass


Trace = str
"""A span's name in the form `traceparent` has; "" of a frame that is not followed."""


_TRACE: Final = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def read_trace(raw: object) -> Trace:
    """Return what a message says of its trace; "" for what is none, which costs no frame."""
    return raw.decode() if isinstance(raw, bytes) and _TRACE.fullmatch(raw) else ""
