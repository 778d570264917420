"""A picture looks the same all the time; somebody who stands still does not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from contract.errors import MessageError
from worker.tracking.people import why_nobody
from worker.tracking.still_view import StillView
from worker.tracking.track import PICTURE_AFTER_S, STILL_WITHIN, Track
from worker.tracking.tracker import Tracker

SIZE = (320, 240)
FACE = 60
PLACE = (160.0, 120.0)
STEP_S = 0.2


def scenery() -> np.ndarray:
    """A coarse pattern, `(240, 320, 3)`, as faces have and no compression removes."""
    coarse = np.random.default_rng(5).integers(40, 200, (24, 32, 1)).astype(np.uint8)
    return np.repeat(np.kron(coarse[..., 0], np.ones((10, 10), np.uint8))[..., None], 3, axis=2)


def watched(seconds: float, sway: float, light: float = 0.0) -> Track:
    """Look at one face that sways by a share of its height, in light that changes by a share."""
    tracker, noise, followed = Tracker(), np.random.default_rng(3), list[Track]()
    for number in range(round(seconds / STEP_S)):
        phase = np.sin(number / 4)
        image = np.roll(scenery(), round(sway * FACE * phase), axis=1)
        lit = image * (1 + light * phase) + noise.normal(0, 4, image.shape)
        x, y = PLACE[0] - FACE / 2 + sway * FACE * phase, PLACE[1] - FACE / 2
        boxes = np.array([(x, y, x + FACE, y + FACE)], np.float32)
        boxes += noise.normal(0, 0.02 * FACE, boxes.shape).astype(np.float32)
        [track], _ = tracker.update(boxes, 1000.0 + number * STEP_S, SIZE)
        assert track is not None
        track.look_at_place(np.clip(lit, 0, 255).astype(np.uint8))
        followed.append(track)
    return followed[-1]


def test_a_picture_on_a_wall_is_nobody_after_a_few_seconds() -> None:
    assert why_nobody(watched(PICTURE_AFTER_S + 1, sway=0.0), has_zones=False) == "static"


def test_a_picture_stays_one_when_the_light_changes() -> None:
    assert watched(PICTURE_AFTER_S + 1, sway=0.0, light=0.2).static


def test_a_picture_seen_for_a_moment_may_be_somebody() -> None:
    assert not watched(PICTURE_AFTER_S - 1, sway=0.0).static


def test_somebody_who_stands_and_sways_is_counted() -> None:
    track = watched(4 * PICTURE_AFTER_S, sway=0.15)
    assert track.strayed <= STILL_WITHIN
    assert why_nobody(track, has_zones=False) is None


def test_a_face_that_moves_keeps_no_view() -> None:
    assert watched(3.0, sway=0.0).view.cells
    assert watched(3.0, sway=1.0).view == StillView()


def test_what_was_seen_goes_on_after_a_takeover() -> None:
    tracker, image = Tracker(), scenery()
    boxes = np.array([(130, 90, 190, 150)], np.float32)
    [track], _ = tracker.update(boxes, 1000.0, SIZE)
    assert track is not None
    track.look_at_place(image)
    [successor] = Tracker.decode(tracker.encode()).tracks
    for same in (track, successor):
        same.look_at_place(image)
    assert successor.view == track.view
    assert (track.view.alike, track.view.compared) == (1, 1)


@pytest.mark.parametrize("cells", ["0" * 35, "0" * 37, "~" * 36, '"' * 36])
def test_a_saved_view_of_another_shape_is_refused(cells: str) -> None:
    tracker = Tracker()
    tracker.update(np.array([(130, 90, 190, 150)], np.float32), 1000.0, SIZE)
    state = json.loads(tracker.encode())
    state["tracks"][0][-3][1] = cells
    with pytest.raises(MessageError):
        Tracker.decode(json.dumps(state))


@pytest.mark.parametrize("place", [(-500.0, 50.0), (160.0, 239.0), (1e5, 1e5)])
def test_a_place_beside_the_picture_shows_nothing(place: tuple[float, float]) -> None:
    view = StillView()
    view.see(scenery(), place, 4.0)
    assert view.cells == ""


def test_a_flat_wall_shows_nothing() -> None:
    view = StillView()
    view.see(np.full((240, 320, 3), 128, np.uint8), PLACE, FACE)
    assert view.cells == ""
