"""Lines, zones and ignored areas that users draw over a camera's picture.

Points are `(x, y)` in 0..1 of the picture's width and height, origin top-left, so that they stay
valid when the camera's resolution changes.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contract.names import PLAIN_NAME, alike

LEAST_LENGTH: Final = 0.01
LEAST_AREA: Final = 0.0001
MOST_POINTS: Final = 32
MOST_SHAPES: Final = 16

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Share, Share]


def _drawn_line(points: tuple[Point, ...]) -> tuple[Point, ...]:
    from shapely import LineString

    _require_points(points, 2, "a line")
    line = LineString(points)
    if line.length < LEAST_LENGTH:
        raise ValueError(
            f"the line is {line.length:.4f} of the picture long, expected at least {LEAST_LENGTH}"
        )
    if not line.is_simple:
        raise ValueError("the line crosses itself; draw two lines, or leave points out")
    return points


def _drawn_area(points: tuple[Point, ...]) -> tuple[Point, ...]:
    from shapely import Polygon
    from shapely.validation import explain_validity

    _require_points(points, 3, "an area")
    area = Polygon(points)
    if not area.is_valid:
        raise ValueError(
            f"the outline is not an area ({explain_validity(area)}); give its corners in order, so "
            "that no edge crosses another"
        )
    if area.area < LEAST_AREA:
        raise ValueError(
            f"the area is {area.area:.6f} of the picture, expected at least {LEAST_AREA}"
        )
    return points


def _require_points(points: tuple[Point, ...], least: int, what: str) -> None:
    if not least <= len(points) <= MOST_POINTS:
        raise ValueError(f"{what} needs {least} to {MOST_POINTS} points, found {len(points)}")


ShapeName = Annotated[str, Field(min_length=1, max_length=40), PLAIN_NAME]
_Points = Annotated[tuple[Point, ...], Field(max_length=MOST_POINTS)]
Line = Annotated[_Points, AfterValidator(_drawn_line)]
Area = Annotated[_Points, AfterValidator(_drawn_area)]


class CountingLine(BaseModel):
    """A line whose crossings are counted, both ways.

    Imagine walking along the line from its first point to its last: `in` crosses it from left to
    right, `out` from right to left. For a line drawn from left to right, `in` is downwards. Draw
    the line in the other direction to exchange the two.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: ShapeName
    points: Line


class Zone(BaseModel):
    """An area. A camera with zones counts only people whose face entered one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: ShapeName
    points: Area


Named = TypeVar("Named", CountingLine, Zone)


def different_names(shapes: tuple[Named, ...]) -> tuple[Named, ...]:
    """Raise `ValueError` if two shapes have the same name: their counts would be mixed."""
    names = [alike(shape.name) for shape in shapes]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two shapes have the name {twice!r}; give them different names")
    return shapes


Shape = TypeVar("Shape", CountingLine, Zone, Area)


def turned_shapes(shapes: tuple[Shape, ...], degrees: int) -> tuple[Shape, ...]:
    """Return shapes as they lie over the picture turned clockwise by 0, 90, 180 or 270 degrees.

    >>> turned_shapes((((0.25, 0.0), (1.0, 0.0), (1.0, 0.5)),), 90)
    (((1.0, 0.25), (1.0, 1.0), (0.5, 1.0)),)
    """
    return tuple(_turned_shape(shape, degrees) for shape in shapes)


def _turned_shape(shape: Shape, degrees: int) -> Shape:
    if isinstance(shape, tuple):
        return tuple(_turned_point(point, degrees) for point in shape)
    points = tuple(_turned_point(point, degrees) for point in shape.points)
    return shape.model_copy(update={"points": points})


def _turned_point(point: Point, degrees: int) -> Point:
    x, y = point
    for _ in range(degrees // 90):
        # 1 - y has rounding errors, which four turns would leave in the camera's record.
        x, y = round(1.0 - y, 9), x
    return x, y
