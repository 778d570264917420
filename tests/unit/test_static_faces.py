"""A picture of a face is nobody, and stays nobody."""

from __future__ import annotations

import numpy as np

from contract.people.people import Person
from contract.people.totals import Increments
from worker.tracking.people import count, why_nobody
from worker.tracking.static_faces import FORGOTTEN_AFTER_S, STATIC_AFTER_S
from worker.tracking.tracker import Tracker

SIZE = (1280, 720)
STEP_S = 0.5


class Scene:
    """A poster with a detector's jitter, and what else a test puts beside it."""

    def __init__(self) -> None:
        self.tracker = Tracker()
        self.now_s = 1000.0
        self.people: list[Person] = []
        self.totals = Increments()
        self._jitter = np.random.default_rng(3)

    def watch(self, seconds: float, poster: bool = True, *others: tuple[float, float]) -> None:
        """Look for a while; `others` are places across and speeds, pixels and pixels a second."""
        for number in range(int(seconds / STEP_S)):
            self.now_s += STEP_S
            found = [(300.0, 200.0)] if poster else []
            found += [(x + speed * number * STEP_S, 500.0) for x, speed in others]
            corners = [(x, y, x + 60, y + 60) for x, y in found]
            boxes = np.array(corners, np.float32).reshape(-1, 4)
            boxes += self._jitter.normal(0, 0.03 * 60, boxes.shape).astype(np.float32)
            _, ended = self.tracker.update(boxes, self.now_s, SIZE)
            self.people += count(ended, has_zones=False, increments=self.totals)

    def end(self) -> None:
        self.people += count(self.tracker.end_all(), has_zones=False, increments=self.totals)


def test_a_face_that_never_moves_is_no_person_however_long_it_is_there() -> None:
    scene = Scene()
    scene.watch(STATIC_AFTER_S + 30)
    scene.end()
    assert scene.people == []
    assert dict(scene.totals.items()) == {"discarded:static": 1}


def test_a_poster_found_now_and_then_does_not_become_a_person_each_time() -> None:
    scene = Scene()
    scene.watch(STATIC_AFTER_S + 10)
    for _ in range(10):
        scene.watch(12, poster=False)
        scene.watch(4)
    scene.end()
    assert scene.people == []


def test_a_poster_is_remembered_by_the_next_owner_of_the_camera() -> None:
    scene = Scene()
    scene.watch(STATIC_AFTER_S + 10)
    scene.watch(12, poster=False)
    scene.tracker = Tracker.decode(scene.tracker.encode())
    scene.watch(4)
    scene.end()
    assert scene.people == []


def test_a_poster_taken_away_is_forgotten_in_time() -> None:
    scene = Scene()
    scene.watch(STATIC_AFTER_S + 10)
    scene.watch(10, poster=False)
    scene.now_s += FORGOTTEN_AFTER_S
    scene.watch(5, False, (100.0, 0.0))
    scene.watch(10, poster=False)
    assert [place.x < 200 for place in scene.tracker.static.places] == [True]


def test_people_who_walk_past_a_poster_are_counted_and_it_is_not() -> None:
    scene = Scene()
    scene.watch(STATIC_AFTER_S)
    for _ in range(3):
        scene.watch(6, True, (0.0, 180.0))
        scene.watch(3)
    scene.end()
    assert len(scene.people) == 3


def test_somebody_who_walks_up_and_stands_still_for_minutes_is_a_person() -> None:
    scene = Scene()
    scene.watch(5, False, (100.0, 80.0))
    scene.watch(3 * STATIC_AFTER_S, False, (500.0, 0.0))
    scene.end()
    assert len(scene.people) == 1


def test_somebody_who_stood_still_and_then_moves_is_a_person_after_all() -> None:
    scene = Scene()
    scene.watch(STATIC_AFTER_S + 10, False, (300.0, 0.0))
    [track] = scene.tracker.tracks
    assert why_nobody(track, has_zones=False) == "static"
    scene.watch(3, False, (300.0, 60.0))
    scene.end()
    assert len(scene.people) == 1
