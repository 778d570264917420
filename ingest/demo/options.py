"""The options after `demo:` in a source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from contract.cameras.file_sources import DEMO_PREFIX
from contract.errors import SourceNotFoundError


@dataclass(frozen=True)
class DemoOptions:
    """One demo camera: `demo:seed=7&fps=15&people=4&width=1280`."""

    seed: int = 1
    fps: float = 10.0
    """Frames the camera delivers a second."""
    people: float = 3.0
    """People in view at a time, on average."""
    width: int = 1280
    """Pixels; the picture is 16:9."""
    pillars: int = 0
    """Advertising pillars near the camera that people pass behind."""
    standing: int = 0
    """Places at which one person after the other stands for a minute."""

    @property
    def height(self) -> int:
        return self.width * 9 // 16 // 2 * 2


_LIMITS = {
    "seed": (0, 2**31),
    "fps": (0.5, 60),
    "people": (0, 12),
    "width": (320, 1920),
    "pillars": (0, 3),
    "standing": (0, 4),
}
_WHOLE = ("seed", "width", "pillars", "standing")


def parse_demo(source: str) -> DemoOptions:
    """Read a `demo:` source; raise `SourceNotFoundError` for options it does not have."""
    query = source.removeprefix(DEMO_PREFIX).lstrip("/?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    values: dict[str, Any] = {}
    for name, text in given.items():
        try:
            low, high = _LIMITS[name]
            values[name] = int(text) if name in _WHOLE else float(text)
            if not low <= values[name] <= high:
                raise ValueError(text)
        except (KeyError, ValueError):
            known = ", ".join(f"{key} {low} to {high}" for key, (low, high) in _LIMITS.items())
            raise SourceNotFoundError(
                f"expected demo: with options among {known}; found {name}={text[:40]}"
            ) from None
    return DemoOptions(**values)
