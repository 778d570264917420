"""What is drawn over a camera's picture."""

from __future__ import annotations

import cv2
import numpy as np

from contract.cameras.camera import make_camera
from worker.drawing import annotate
from worker.tracking.zones import layout_of

FRAME = np.full((360, 640, 3), 60, np.uint8)


def drawn(**shapes: object) -> np.ndarray:
    """How much each pixel of a grey frame differs with the shapes drawn over it."""
    camera = make_camera(name="Gate", source="demo:", **shapes)
    jpeg = annotate(FRAME, (), layout_of(camera, (640, 360)))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.abs(picture.astype(int) - 60).max(axis=2)


def test_a_camera_without_shapes_shows_its_picture_as_it_is() -> None:
    assert drawn().max() <= 2


def test_lines_zones_and_ignored_areas_are_clearly_seen_where_they_are() -> None:
    line = drawn(lines=[{"name": "Door", "points": [(0.1, 0.5), (0.9, 0.5)]}])
    assert line[178:183, 100:500].max(axis=0).min() > 100
    assert line[300:, :].max() <= 4
    zone = drawn(zones=[{"name": "Queue", "points": [(0.5, 0.25), (0.9, 0.25), (0.9, 0.75)]}])
    assert zone[88:93, 360:540].max(axis=0).min() > 100
    ignored = drawn(ignored=[[(0, 0), (0.25, 0), (0.25, 0.5), (0, 0.5)]])
    assert 25 < ignored[20:160, 20:140].min() < 80, "the picture below is still seen"


def test_the_way_in_is_shown_to_the_right_of_a_lines_direction() -> None:
    down = drawn(lines=[{"name": "A", "points": [(0.1, 0.5), (0.9, 0.5)]}])
    up = drawn(lines=[{"name": "A", "points": [(0.9, 0.5), (0.1, 0.5)]}])
    below, above = (slice(186, 196), slice(310, 330)), (slice(164, 174), slice(310, 330))
    assert down[below].max() > 25 >= down[above].max()
    assert up[above].max() > 25 >= up[below].max()
