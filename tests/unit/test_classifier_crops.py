from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.crops import crop_faces, cut_square, square_around

GRADIENT = np.tile(np.arange(100, dtype=np.uint8)[None, :, None], (60, 1, 3))
"""60 rows, 100 columns; every pixel's value is its column."""


def box(*corners: float) -> np.ndarray:
    return np.array([corners], np.float32)


def test_the_square_keeps_the_boxs_centre_and_adds_the_margin_on_each_side() -> None:
    assert square_around(box(40, 10, 60, 50)[0], margin=0.0) == (30, 10, 40)
    assert square_around(box(40, 10, 60, 50)[0], margin=0.25) == (20, 0, 60)


def test_a_crop_inside_the_frame_shows_exactly_those_pixels() -> None:
    crops = crop_faces(GRADIENT, box(40, 20, 60, 40), margin=0.0, size=20)

    np.testing.assert_array_equal(crops[0], GRADIENT[20:40, 40:60])


def test_beyond_the_frames_edges_its_last_pixels_are_repeated() -> None:
    left, right = crop_faces(
        GRADIENT, np.vstack([box(-10, 20, 10, 40), box(90, 50, 110, 70)]), margin=0.0, size=20
    )

    assert left[0, :, 0].tolist() == [0] * 10 + list(range(10))
    assert right[0, :, 0].tolist() == [*range(90, 100), *[99] * 10]
    assert right[19].tolist() == right[9].tolist()


def test_a_square_wholly_outside_is_filled_from_the_nearest_edge() -> None:
    assert np.unique(cut_square(GRADIENT, 300, 10, 12)).tolist() == [99]
    assert np.unique(cut_square(GRADIENT, -50, -50, 12)).tolist() == [0]


def test_colours_keep_their_order() -> None:
    frame = np.zeros((50, 50, 3), np.uint8)
    frame[:] = (200, 100, 10)

    assert crop_faces(frame, box(5, 5, 40, 30), margin=0.3, size=16)[0, 3, 3].tolist() == [
        200,
        100,
        10,
    ]


def test_no_boxes_give_an_empty_batch_of_the_right_shape() -> None:
    crops = crop_faces(GRADIENT, np.zeros((0, 4), np.float32), margin=0.1, size=32)

    assert crops.shape == (0, 32, 32, 3)
    assert crops.dtype == np.uint8


corner = st.floats(-200, 300, width=32)


@given(x=corner, y=corner, width=corner, height=corner, margin=st.sampled_from([0.0, 0.15, 1.0]))
def test_any_box_gives_a_crop(
    x: float, y: float, width: float, height: float, margin: float
) -> None:
    anywhere = box(x, y, x + width, y + height)

    assert crop_faces(GRADIENT, anywhere, margin=margin, size=8).shape == (1, 8, 8, 3)


@pytest.mark.parametrize("side", [5, 20, 64])
def test_flat_colour_survives_scaling_up_and_down(side: int) -> None:
    frame = np.full((70, 70, 3), 77, np.uint8)

    assert np.unique(crop_faces(frame, box(2, 2, 2 + side, 2 + side), margin=0, size=20)) == [77]
