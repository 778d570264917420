"""Keeps secrets of cameras' addresses out of everything that users and machines may read.

All functions take time linear in the text's length, because strangers can choose text that we log.
They search and split, and no regular expression here can backtrack.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Final

from contract.cameras.shown_addresses import HIDDEN as HIDDEN
from contract.cameras.shown_addresses import LONGEST_ADDRESS, SEPARATOR, host_of, shown_address

LONGEST_LOGGED: Final = 20_000
"""Most characters of one event in the log, including its traceback; the rest is cut off unread."""

_PASSWORD_WITH_BLANKS: Final = 300
"""Characters after `user:` within which an `@` may end a password with blanks."""
_ENCODED_COLON: Final = r"(?::|%(?:25){0,3}+3a)"
_ENCODED_SLASH: Final = r"(?:/|\\{1,4}+/|%(?:25){0,3}+2f)"
_SEPARATOR: Final = re.compile(_ENCODED_COLON + _ENCODED_SLASH + "{2}", re.IGNORECASE)
"""Matches `://`: plain, percent-encoded (once or repeatedly), or with backslashes (in JSON)."""
_BLANK: Final = re.compile(r"\s")
_ADDRESS_END: Final = re.compile(r"[\s\"'<>]")
_USER: Final = re.compile(r"[^\s/:@]*+:")
_PORT: Final = re.compile(r"\d{1,5}(?:[\s/,;]|$)")
_AFTER_ADDRESS: Final = ".,;:!?)]}"
"""Punctuation after an address that belongs to the sentence around it."""


def redact_url(url: str) -> str:
    """Return an address as accounts that may change the camera see it; see `shown_address`.

    Treat everything up to the last `@` as credentials, because pasted passwords may contain `/`,
    `?` or `@`. Hiding a part of the path is the lesser fault.

    >>> redact_url("rtsp://admin:p@ss/w@10.0.0.9/live")
    'rtsp://***@10.0.0.9/live'
    """
    # No camera has a longer one: whatever it is, who is asked is enough to know.
    return shown_address(url) if len(url) <= LONGEST_ADDRESS else host_of.__wrapped__(url)


def without_login(url: str) -> str:
    """Return an address other than a camera's with its path, but without user, password and query.

    >>> without_login("https://me:pw@mirror.example.org/yunet.onnx?token=x")
    'https://***@mirror.example.org/yunet.onnx'
    """
    scheme, separator, rest = url.partition("?")[0].partition(SEPARATOR)
    _, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{HIDDEN}@{place}" if at else scheme + separator + rest


def redact_text(text: str) -> str:
    """Return free text with every URL in it redacted (a log line, a library's message).

    A password may contain quotes, brackets and blanks, so everything up to a possible `@` is
    hidden.

    >>> redact_text("no answer from 'rtsp://admin:it's <mine>@10.0.0.9/live'")
    "no answer from 'rtsp://***@10.0.0.9/live'"
    """
    return _with_addresses(text, shown_address.__wrapped__)


def hosts_alone(text: str) -> str:
    """Return free text with its URLs reduced to scheme and host, as viewers see it.

    >>> hosts_alone("no answer from rtsp://10.0.0.9:554/live.")
    'no answer from rtsp://10.0.0.9/***.'
    """
    return _with_addresses(text, host_of.__wrapped__)


def _with_addresses(text: str, shown: Callable[[str], str]) -> str:
    """Return `text` with `shown` applied to each address; encoded addresses are removed."""
    pieces, done = [], 0
    run_end = last_at = -1  # of the text without blanks that a URL is in, found once for each
    while match := _SEPARATOR.search(text, done):
        found, start = match.span()
        if match[0] != SEPARATOR:
            end = _position(_ADDRESS_END, text, start)
            pieces += [text[done:start], HIDDEN if end > start else ""]
            done = end
            continue
        if start > run_end:
            run_end = _position(_BLANK, text, start)
            last_at = text.rfind("@", start, run_end)
        place = last_at if last_at >= start else _end_of_password(text, start)
        end = _position(_ADDRESS_END, text, max(start, place))
        kept = len(text[start:end].rstrip(_AFTER_ADDRESS)) + start
        # No address follows if a sentence only names a scheme, such as "http:// or https://".
        address = shown(SEPARATOR + text[start:kept]) if kept > start else SEPARATOR
        pieces += [text[done:found], address]
        done = kept
    return "".join([*pieces, text[done:]])


def _end_of_password(text: str, start: int) -> int:
    """Return the position of the `@` that ends `user:pass word` at `start`; -1 if there is none."""
    user = _USER.match(text, start)
    if user is None or _PORT.match(text, user.end()):
        return -1
    at = text.find("@", user.end(), user.end() + _PASSWORD_WITH_BLANKS + 1)
    return -1 if text.find("\n", user.end(), max(at, user.end())) >= 0 else at


def _position(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.search(text, start)
    return match.start() if match else len(text)


def cut_and_redact(text: str, longest: int = LONGEST_LOGGED) -> str:
    """Return at most about `longest` characters of a text from outside, redacted.

    The cut may be inside a password, before the `@` that would reveal it as one. So an address that
    is cut is hidden up to the cut.
    """
    if len(text) <= longest:
        return redact_text(text)
    return f"{redact_text(text[:longest] + '@')} ({len(text) - longest} more characters)"


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and redacts the URLs in the result."""

    def format(self, record: logging.LogRecord) -> str:
        return cut_and_redact(super().format(record))
