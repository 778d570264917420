"""Lines, zones and ignored areas over a camera's picture."""

from __future__ import annotations

import numpy as np
import pytest
from shapely import LineString, Point

from contract.cameras.camera import Camera, make_camera
from contract.errors import CameraConfigError
from contract.people.totals import Increments, crossed_field
from face_detector.detection import Detections
from worker.tracking.people import count, why_nobody
from worker.tracking.tracker import Tracker
from worker.tracking.zones import crossed, layout_of

SIZE = (1000, 500)
DOOR = {"name": "Door", "points": [(0.2, 0.5), (0.8, 0.5)]}


def camera(**fields: object) -> Camera:
    return make_camera(name="Gate", source="demo:", **fields)


def walked(camera: Camera, places: list[tuple[float, float]], start_s: float = 100.0) -> Tracker:
    """Somebody of 40 pixels at each place in turn, five times a second."""
    tracker = Tracker()
    for number, (x, y) in enumerate(places):
        boxes = np.array([[x - 20, y - 20, x + 20, y + 20]], np.float32)
        time_s = start_s + 0.2 * number
        [track], _ = tracker.update(boxes, time_s, SIZE)
        assert track
        layout_of(camera, SIZE).follow(track, boxes[0], time_s)
    return tracker


def crossings(camera: Camera, places: list[tuple[float, float]]) -> list[tuple[str, str]]:
    [track] = walked(camera, places).tracks
    return [(crossing.line, crossing.direction) for crossing in track.passage.crossings]


def test_who_walks_down_across_a_line_drawn_to_the_right_comes_in_and_back_goes_out() -> None:
    down = [(500, 180 + 20.0 * step) for step in range(8)]
    assert crossings(camera(lines=[DOOR]), down) == [("Door", "in")]
    assert crossings(camera(lines=[DOOR]), down[::-1]) == [("Door", "out")]
    turn = [(500, 330), (500, 331), (500, 330)]
    assert crossings(camera(lines=[DOOR]), down + turn + down[::-1]) == [
        ("Door", "in"),
        ("Door", "out"),
    ]


def test_who_passes_beside_a_line_does_not_cross_it() -> None:
    assert crossings(camera(lines=[DOOR]), [(100, 180 + 20.0 * step) for step in range(8)]) == []


def test_who_stands_on_a_line_is_not_counted_to_and_fro() -> None:
    standing = [(500, 250 + 8.0 * np.sin(step)) for step in range(30)]
    places = [(500, 234), (500, 242), *standing]
    assert crossings(camera(lines=[DOOR]), [(500, 226), *places, (500, 238), (500, 226)]) == []
    assert crossings(camera(lines=[DOOR]), [(500, 226), *places, (500, 262), (500, 274)]) == [
        ("Door", "in")
    ]


def test_a_line_crossed_while_hidden_is_crossed() -> None:
    assert crossings(camera(lines=[DOOR]), [(500, 228), (500, 272)]) == [("Door", "in")]


def test_a_bent_line_crossed_there_and_back_in_one_step_is_not_crossed() -> None:
    bent = LineString([(0, 0), (100, 100), (200, 0)])
    assert crossed(bent, Point(20, 60), Point(180, 60)) is None
    assert crossed(bent, Point(100, 50), Point(100, 150)) == "in"
    assert crossed(bent, Point(100, 50), Point(20, 80)) == "in"


def test_crossings_are_counted_by_the_verdict_the_person_ends_with() -> None:
    one = camera(lines=[DOOR])
    tracker = walked(one, [(500, 180 + 20.0 * step) for step in range(8)])
    tracker.tracks[0].votes = tracker.tracks[0].votes.add(np.array([0, 0, 1], np.float32), 1, 101)
    increments = Increments()
    [person] = count(tracker.end_all(), has_zones=False, increments=increments)
    assert person.crossings[0].line == "Door"
    assert dict(increments.items())[crossed_field("Door", "in", "no_mask")] == 1


def test_a_camera_with_zones_counts_only_who_entered_one() -> None:
    one = camera(zones=[{"name": "Queue", "points": [(0.5, 0), (1, 0), (1, 1), (0.5, 1)]}])
    [inside] = walked(one, [(400 + 30.0 * step, 100) for step in range(8)]).tracks
    [beside] = walked(one, [(100 + 30.0 * step, 100) for step in range(8)]).tracks
    assert inside.passage.zones == ["Queue"]
    assert why_nobody(inside, has_zones=True) is None
    assert why_nobody(beside, has_zones=True) == "outside_zone"
    assert why_nobody(beside, has_zones=False) is None


def test_faces_in_an_ignored_area_are_nobodys() -> None:
    poster = camera(ignored=[[(0, 0), (0.2, 0), (0.2, 0.4), (0, 0.4)]])
    boxes = np.array([[80, 80, 120, 120], [500, 80, 540, 120]], np.float32)
    found = Detections(boxes, np.array([0.9, 0.8], np.float32), np.zeros((2, 5, 2), np.float32))
    kept = layout_of(poster, SIZE).without_ignored(found)
    assert kept.boxes.tolist() == [boxes[1].tolist()]
    assert kept.scores.tolist() == [pytest.approx(0.8)]
    assert kept.landmarks is not None
    assert len(kept.landmarks) == 1
    # Twice the resolution: the poster is still where it was.
    larger = layout_of(poster, (2000, 1000))
    assert len(larger.without_ignored(Detections(2 * boxes, found.scores))) == 1


def test_a_passage_reads_back_as_it_was_saved() -> None:
    one = camera(lines=[DOOR], zones=[{"name": "Z", "points": [(0, 0), (1, 0), (1, 1)]}])
    tracker = walked(one, [(500, 180 + 20.0 * step) for step in range(8)])
    [track] = tracker.tracks
    assert track.passage.zones
    assert track.passage.crossings
    assert track.passage.beside
    assert Tracker.decode(tracker.encode()).tracks[0].passage == track.passage


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"lines": [{"name": "A", "points": [(0.1, 0.1)]}]},
            "a line needs 2 to 32 points, found 1",
        ),
        ({"lines": [{"name": "A", "points": [(0.1, 0.1), (0.1, 0.1)]}]}, "expected at least 0.01"),
        ({"lines": [{"name": "", "points": [(0, 0), (1, 1)]}]}, "lines.0.name"),
        ({"lines": [DOOR, {**DOOR, "name": "DOOR"}]}, "two shapes have the name 'door'"),
        ({"lines": [{**DOOR, "colour": "red"}]}, "lines.0.colour"),
        ({"zones": [{"name": "A", "points": [(0, 0), (1, 1)]}]}, "an area needs 3 to 32 points"),
        ({"zones": [{"name": "A", "points": [(0, 0), (1, 1), (1, 0), (0, 1)]}]}, "no edge crosses"),
        ({"ignored": [[(0, 0), (0.5, 0), (1, 0)]]}, "not an area"),
        ({"ignored": [[(0, 0), (1.5, 0), (1, 1)]]}, "expected at most 1"),
        ({"ignored": "poster"}, "ignored"),
    ],
)
def test_a_shape_that_cannot_be_used_is_refused_with_what_was_expected(
    fields: dict[str, object], words: str
) -> None:
    with pytest.raises(CameraConfigError, match=words.replace("(", r"\(")):
        camera(**fields)
