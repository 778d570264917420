"""How a camera is to be seen: what is taken, and what a change does to its shapes."""

from __future__ import annotations

from fractions import Fraction

import pytest

from contract.cameras.camera import Camera, changed_camera, make_camera
from contract.cameras.picture_options import PictureOptions
from contract.errors import CameraFieldsError
from ingest.process.fleet import reads_differently

CORNER = [[0.0, 0.0], [0.25, 0.0], [0.25, 0.5]]
LINE = {"name": "Door", "points": [[0.1, 0.6], [0.9, 0.6]]}


def camera(**fields: object) -> Camera:
    return make_camera(name="Gate", source="demo:", **fields)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("16:9", "16:9"),
        (" 4 : 3 ", "4:3"),
        ("16/9", "16:9"),
        ("16x9", "16:9"),
        ("2.39:1", "2.39:1"),
        ("16:09", "16:9"),
        ("16:09:00", "16:9"),
        ("", ""),
    ],
)
def test_a_shape_is_taken_as_people_and_spreadsheets_write_it(written: str, meant: str) -> None:
    assert camera(aspect=written).aspect == meant


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rotate": 45}, "rotate: expected 0, 90, 180 or 270"),
        ({"aspect": "wide"}, "aspect: expected the shape of the whole picture"),
        ({"aspect": "16:0"}, "aspect: a picture of 16:0 is too flat"),
        ({"aspect": "100:1"}, "aspect: a picture of 100:1 is too flat"),
        ({"stream": -1}, "stream: "),
        ({"stream": 99}, "stream: "),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_was_expected(
    fields: dict[str, object], words: str
) -> None:
    with pytest.raises(CameraFieldsError) as refused:
        camera(**fields)
    assert words in str(refused.value)


def test_shapes_turn_with_the_picture() -> None:
    before = camera(lines=[LINE], ignored=[CORNER])
    after = changed_camera(before, {"rotate": 90})
    assert after.ignored == (((1.0, 0.0), (1.0, 0.25), (0.5, 0.25)),)
    assert after.lines[0].points == ((0.4, 0.1), (0.4, 0.9)), "and so does the way in"
    half = changed_camera(after, {"rotate": 270})
    assert changed_camera(half, {"rotate": 0}) == before


def test_shapes_that_come_with_the_turn_are_drawn_over_the_turned_picture() -> None:
    before = camera(lines=[LINE], ignored=[CORNER])
    after = changed_camera(before, {"rotate": 90, "lines": [LINE]})
    assert after.lines == before.lines
    assert after.ignored != before.ignored


@pytest.mark.parametrize("change", [{"rotate": 90}, {"aspect": "4:3"}, {"stream": 2}])
def test_a_running_camera_follows_a_change(change: dict[str, object]) -> None:
    before = camera()
    assert reads_differently(before, changed_camera(before, change))


def test_a_shape_is_a_number() -> None:
    assert PictureOptions(aspect="16:9").shape == Fraction(16, 9)
    assert PictureOptions(aspect="2.39:1").shape == Fraction("2.39")
    assert PictureOptions().shape is None
