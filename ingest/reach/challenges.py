"""Reads what a camera asks for when it wants a login (`WWW-Authenticate`, RFC 9110, 11.6.1).

Cameras write it in many ways: several challenges in one header, values with or without quotes,
fields without commas between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MOST_CHARS: Final = 4096
"""Longest header that is read, so that reading takes little time whatever it holds."""
MOST_CHALLENGES: Final = 16

_WORD: Final = re.compile(
    r"""(?<![\w.*=-]) (?:  # at the beginning of a word only, so that each is read once
        (?P<key>[\w.*-]++)\ ?=\ ?
        (?: "(?P<quoted> (?:[^"\\]|\\.)*+ )"?
          | (?P<bare> [^",]{0,256}? ) (?=\ ?(?:,|$)|\ [\w.*-]{1,64}+\ ?=) )
      | (?P<scheme> [A-Za-z][\w-]*+ ) (?=\ [\w.*-]{1,64}+\ ?=|\ ?(?:,|$)) )""",
    re.VERBOSE,
)
_NO_SCHEMES: Final = ("auth", "auth-int")
"""What follows a comma in `qop=auth,auth-int` without quotes."""
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass
class Challenge:
    """One offered way to sign in. scheme: lower case, such as `digest`. Field names are, too."""

    scheme: str
    fields: dict[str, str] = field(default_factory=dict)

    def lists(self, name: str, word: str) -> bool:
        """Whether a field with a comma-separated list, such as `qop`, has this word."""
        words = self.fields.get(name, "").lower().split(",")
        return word in [one.strip() for one in words]


def read_challenges(headers: Iterable[str]) -> list[Challenge]:
    """Return the challenges of all headers, in their order. Skips what cannot be read.

    >>> read_challenges(['Digest realm="a", nonce=1, Basic realm=IP Camera'])[1]
    Challenge(scheme='basic', fields={'realm': 'IP Camera'})
    """
    found: list[Challenge] = []
    for header in headers:
        text = " ".join(header[:MOST_CHARS].split())
        begun = len(found)
        for piece in _WORD.finditer(text):
            if scheme := (piece["scheme"] or "").lower():
                found += [] if scheme in _NO_SCHEMES else [Challenge(scheme)]
            elif len(found) > begun:
                quoted, bare = piece["quoted"], piece["bare"]
                value = bare if quoted is None else _ESCAPED.sub(r"\1", quoted)
                found[-1].fields.setdefault(piece["key"].lower(), value.strip())
    return found[:MOST_CHALLENGES]
