"""Looks for secrets, in every form that software writes them in, in what was seen of a system."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from dataclasses import dataclass, field
from typing import Final

SHORTEST_LOOKED_FOR: Final = 6


@dataclass
class Places:
    """Everything that was seen, by where."""

    seen: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, place: str, what: bytes | str) -> None:
        self.seen.setdefault(place, []).append(what.encode() if isinstance(what, str) else what)

    def leaks(self, known: dict[str, str]) -> list[str]:
        """`secret in place`, for each that is found in any form."""
        return [
            f"{name} in {place}"
            for place, texts in self.seen.items()
            for name, secret in known.items()
            if any(form in text for text in texts for form in forms(secret))
        ]

    def size(self) -> int:
        return sum(len(text) for texts in self.seen.values() for text in texts)


def forms(secret: str) -> set[bytes]:
    """The secret as logs, addresses, headers, JSON and pages would write it."""
    raw = secret.encode()
    found = {
        raw,
        urllib.parse.quote(secret, safe="").encode(),
        urllib.parse.quote(secret).encode(),
        urllib.parse.quote_plus(secret).encode(),
        html.escape(secret).encode(),
        json.dumps(secret)[1:-1].encode(),
        raw.hex().encode(),
    }
    for shift in range(3):  # base64 of a text depends on where in it the secret begins
        padded = base64.b64encode(b"\0" * shift + raw)
        inner = padded[4 if shift else 0 : (len(raw) + shift) // 3 * 4]
        found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in found if len(form) >= SHORTEST_LOOKED_FOR}
