"""Keeps camera passwords out of everything a person or a machine may read."""

from __future__ import annotations

import logging
import re
from typing import Final

_SCHEME: Final = re.compile(r"\b([a-z][a-z0-9+.-]{0,30}://)", re.IGNORECASE)
_SECRET_QUERY: Final = re.compile(
    r"([?&;](?:[^=&;\s]*(?:pass|pwd|token|secret|auth|key|user|login|sig)[^=&;\s]*)=)[^&;\s\"'<>]*",
    re.IGNORECASE,
)
_URL_IN_TEXT: Final = re.compile(
    # Lengths are bounded, or a long line without any URL would take seconds.
    r"\b[a-z][a-z0-9+.-]{0,30}://"
    r"(?:\S{0,2000}@|[^\s/:@]{0,300}:(?!\d{1,5}(?:[\s/,;]|$))[^\n@]{0,300}@)?"  # no port
    r"[^\s\"'<>]*",
    re.IGNORECASE,
)
HIDDEN: Final = "***"


def redact_url(url: str) -> str:
    """Return `url` with user, password and secret-looking query values hidden.

    Everything up to the last `@` is taken for credentials, because people paste passwords
    that contain `/`, `?` or `@`: hiding a part of the path is the lesser fault.

    >>> redact_url("rtsp://admin:p@ss/w@10.0.0.9/live")
    'rtsp://***@10.0.0.9/live'
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        return url
    rest = url[scheme.end() :]
    if "@" in rest:
        rest = f"{HIDDEN}@{rest.rsplit('@', 1)[1]}"
    return scheme.group(1) + _SECRET_QUERY.sub(rf"\1{HIDDEN}", rest)


def redact_text(text: str) -> str:
    """Return free text with every URL in it redacted (a log line, a library's message).

    A password may have quotes, brackets and blanks: all up to an `@` that may end it is hidden.

    >>> redact_text("no answer from 'rtsp://admin:it's <mine>@10.0.0.9/live'")
    "no answer from 'rtsp://***@10.0.0.9/live'"
    """
    return _URL_IN_TEXT.sub(lambda match: redact_url(match.group(0)), text)


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and redacts the URLs in the result."""

    def format(self, record: logging.LogRecord) -> str:
        return redact_text(super().format(record))
