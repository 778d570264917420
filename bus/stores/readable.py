"""Reads records of which a damaged one must not hide the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from contract.errors import MessageError

T = TypeVar("T")

_log = logging.getLogger(__name__)


def readable(decode: Callable[[bytes | str], T], records: Iterable[bytes | str]) -> list[T]:
    """Return the records that `decode` can read; others are logged and left out."""
    found = []
    for raw in records:
        try:
            found.append(decode(raw))
        except MessageError as error:
            _log.error("%s; it is left out", error)
    return found
