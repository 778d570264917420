"""A camera's ignored areas, zones and counting lines, laid over a picture of a certain size."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, Point, Polygon

from contract.cameras.camera import Camera
from contract.cameras.layout import Area, CountingLine, Line, Zone
from contract.people.people import Direction
from face_detector.detection import Detections
from worker.tracking.association import centres
from worker.tracking.passage import Crossing
from worker.tracking.track import Track

FloatArray = npt.NDArray[np.float32]

CLEARLY_BESIDE: Final = 0.25
"""A face is on one side of a line if its centre is at least this far from it, in face heights. So a
person who stands on the line is not counted again and again."""


class Layout:
    """Where faces count in one picture. A face is where the centre of its box is."""

    def __init__(
        self,
        lines: tuple[CountingLine, ...],
        zones: tuple[Zone, ...],
        ignored: tuple[Area, ...],
        frame_size: tuple[int, int],
    ) -> None:
        """Lay the shapes, in 0..1, over a picture of `frame_size` (width, height)."""
        self.lines = [(line.name, _in_pixels(line.points, frame_size)) for line in lines]
        self.zones = [(zone.name, _in_pixels(zone.points, frame_size)) for zone in zones]
        self.ignored = [_in_pixels(area, frame_size) for area in ignored]
        self._lines = [(name, LineString(points)) for name, points in self.lines]
        self._zones = [(name, Polygon(points)) for name, points in self.zones]
        self._ignored = shapely.union_all([Polygon(points) for points in self.ignored])
        for area in (self._ignored, *(zone for _, zone in self._zones)):
            shapely.prepare(area)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn over this camera's picture."""
        return not (self.lines or self.zones or self.ignored)

    def without_ignored(self, found: Detections) -> Detections:
        """Return the faces outside the ignored areas."""
        if not self.ignored or len(found) == 0:
            return found
        places = centres(found.boxes)
        kept = ~shapely.contains_xy(self._ignored, places[:, 0], places[:, 1])
        return found.where(kept)

    def follow(self, track: Track, box: FloatArray, time_s: float) -> None:
        """Take note of the zones that a face is in and the lines it has crossed.

        box: `(4,)` corners in pixels.
        """
        if not (self._zones or self._lines):
            return
        place = Point((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        for name, zone in self._zones:
            if name not in track.passage.zones and zone.contains(place):
                track.passage.zones.append(name)
        clear_px = CLEARLY_BESIDE * float(box[3] - box[1])
        for name, line in self._lines:
            if line.distance(place) >= clear_px:
                self._stand_beside(track, name, line, place, time_s)

    @staticmethod
    def _stand_beside(
        track: Track, name: str, line: LineString, place: Point, time_s: float
    ) -> None:
        before = track.passage.beside.get(name)
        track.passage.beside[name] = (round(place.x, 1), round(place.y, 1))
        if before is None:
            return
        direction = crossed(line, Point(before), place)
        if direction is not None:
            track.passage.crossings.append(Crossing(round(time_s, 3), name, direction))


def crossed(line: LineString, start: Point, end: Point) -> Direction | None:
    """Return which way the straight way from `start` to `end` crosses `line`; None if not.

    A way that crosses a bent line there and back crosses nothing.
    """
    way = LineString([start, end])
    if not line.intersects(way):
        return None
    towards_x, towards_y = end.x - start.x, end.y - start.y
    net = 0
    for (x0, y0), (x1, y1) in pairwise(line.coords):
        if way.intersects(LineString([(x0, y0), (x1, y1)])):
            # Positive when the way leads to the right of this piece, y pointing down.
            turn = (x1 - x0) * towards_y - (y1 - y0) * towards_x
            net += (turn > 0) - (turn < 0)
    return None if net == 0 else "in" if net > 0 else "out"


def layout_of(camera: Camera, frame_size: tuple[int, int]) -> Layout:
    """Return the camera's shapes in a picture of `frame_size` (width, height)."""
    return _layout(camera.lines, camera.zones, camera.ignored, frame_size)


@lru_cache(maxsize=256)
def _layout(
    lines: tuple[CountingLine, ...],
    zones: tuple[Zone, ...],
    ignored: tuple[Area, ...],
    frame_size: tuple[int, int],
) -> Layout:
    return Layout(lines, zones, ignored, frame_size)


def _in_pixels(points: Line, frame_size: tuple[int, int]) -> list[tuple[float, float]]:
    width, height = frame_size
    return [(x * width, y * height) for x, y in points]
