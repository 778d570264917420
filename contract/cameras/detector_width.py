"""How wide the pictures of a camera are for the face detector."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator

WIDTHS_PX: Final = (640, 960, 1280)
AUTO: Final = "auto"


def _typed(value: Any) -> Any:
    """Return a width as files and forms write it, `"960"` or empty, as a number or None."""
    if isinstance(value, str):
        value = value.strip().lower()
        value = int(value) if value.isascii() and value.isdecimal() and len(value) < 6 else value
    if value == "":
        return None
    if isinstance(value, bool) or (value not in (None, AUTO, *WIDTHS_PX)):
        raise ValueError(
            "expected 640, 960 or 1280 pixels, or auto; leave it empty for the width of all cameras"
        )
    return value


DetectorWidth = Annotated[Literal[640, 960, 1280, "auto"] | None, BeforeValidator(_typed)]
"""Pixels to which pictures are scaled for the detector. `auto` follows the sizes of the faces that
are seen there; None takes the setting of all cameras."""
