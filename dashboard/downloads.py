"""Answers that a browser saves under a name that somebody typed."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import quote

from flask import Response

from contract.plain_text import cleaned

LONGEST: Final = 120


def save_as(answer: Response, stem: str, ending: str) -> Response:
    """Have browsers save an answer as `stem` and `ending`, in whatever script that is (RFC 6266).

    Headers are Latin-1 at most and one line: the whole name goes encoded, beside one in ASCII for
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
