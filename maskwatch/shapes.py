"""Reads lines, zones and ignored areas from the command line."""

from __future__ import annotations

from typing import Any

from contract.errors import CameraConfigError

EXAMPLE = "'0.1,0.6 0.9,0.6', each point x,y in 0..1 of the picture"


def parse_named(text: str, what: str) -> dict[str, Any]:
    """Read `NAME=x,y x,y ...`; raise `CameraConfigError` for anything else."""
    name, separator, points = text.rpartition("=")
    if not separator or not name.strip():
        raise CameraConfigError(f"--{what} {text!r}: expected NAME=POINTS, such as Door={EXAMPLE}")
    return {"name": name, "points": parse_points(points, what)}


def parse_points(text: str, what: str) -> list[tuple[float, float]]:
    """Read `x,y x,y ...`; raise `CameraConfigError` for anything else."""
    points = []
    for pair in text.split():
        try:
            x, y = map(float, pair.split(","))
        except ValueError:
            raise CameraConfigError(
                f"--{what}: {pair!r} is not a point; expected {EXAMPLE}"
            ) from None
        points.append((x, y))
    return points
