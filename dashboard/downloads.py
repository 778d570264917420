"""Answers that a browser saves as a file with a name from a user."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import quote

from flask import Response

from contract.plain_text import cleaned

LONGEST: Final = 120


def save_as(answer: Response, stem: str, ending: str) -> Response:
    """Make browsers save an answer as `stem` plus `ending`, in any script (RFC 6266).

    Headers are one line of Latin-1. Therefore the full name is encoded, beside a name in ASCII for
    old programs.
    """
    name = cleaned(stem[-LONGEST:]) + ending
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    answer.headers.set(
        "Content-Disposition",
        "attachment",
        filename=plain,
        **{"filename*": f"UTF-8''{quote(name, safe='')}"},
    )
    return answer
