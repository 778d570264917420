"""How a camera's pictures are to be seen, where the stream does not say it, or says it wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Final

from pydantic import AfterValidator, Field

QUARTER_TURNS: Final = (0, 90, 180, 270)
MOST_STREAMS: Final = 32
WIDEST: Final = 8
"""A picture more than this many times as wide as high, or as high as wide, is a typing error."""
# Spreadsheets take 16:9 for a time of day, and write 16:09 or 16:09:00.
_RATIO: Final = re.compile(r"(\d{1,5}(?:\.\d{1,4})?)\s*[:/x]\s*(\d{1,5}(?:\.\d{1,4})?)(?::00)?")


def _quarter_turn(degrees: int) -> int:
    if degrees not in QUARTER_TURNS:
        raise ValueError(f"expected 0, 90, 180 or 270 degrees clockwise, found {degrees}")
    return degrees


def _ratio(text: str) -> str:
    """Return a ratio as `W:H`, or an empty text as it is."""
    text = text.strip().lower()
    if not text:
        return ""
    found = _RATIO.fullmatch(text)
    if found is None:
        raise ValueError(
            "expected the shape of the whole picture, its width to its height, such as 16:9, 4:3 "
            "or 2:1; leave it empty to keep what the stream says"
        )
    width, height = (f"{float(part):g}" for part in found.groups())
    if not float(height) or not 1 / WIDEST <= float(width) / float(height) <= WIDEST:
        raise ValueError(f"a picture of {width}:{height} is too flat; at most {WIDEST}:1 is taken")
    return f"{width}:{height}"


Rotate = Annotated[int, AfterValidator(_quarter_turn)]
"""Degrees clockwise."""
Aspect = Annotated[str, Field(max_length=20), AfterValidator(_ratio)]
"""Width to height of the whole picture before it is turned, such as `16:9`; empty: as the stream
says."""
StreamNumber = Annotated[int, Field(ge=0, le=MOST_STREAMS)]
"""Which of a source's videos, from 1; 0 chooses the best."""


@dataclass(frozen=True)
class PictureOptions:
    """How a camera's pictures are to be seen; the defaults keep what the stream says."""

    rotate: Rotate = 0
    aspect: Aspect = ""
    stream: StreamNumber = 0

    @property
    def shape(self) -> Fraction | None:
        """The picture's width over its height before it is turned; None as the stream says."""
        if not self.aspect:
            return None
        width, height = map(Fraction, self.aspect.split(":"))
        return width / height


AS_SIGNALLED: Final = PictureOptions()
