"""The demo's truth: the same for the same seed and time, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from contract.people.verdicts import JUDGED_VERDICTS
from ingest.demo.options import DemoOptions
from ingest.demo.scene import Scene
from ingest.demo.walkers import faces_at, walkers_between

START_S = 1_795_000_000.0
OPTIONS = DemoOptions(seed=7, width=640)


def test_the_same_seed_and_time_show_the_same_people_after_a_restart() -> None:
    first = walkers_between(OPTIONS, START_S, START_S + 60)
    assert walkers_between(DemoOptions(seed=7), START_S, START_S + 60) == first
    assert walkers_between(DemoOptions(seed=8), START_S, START_S + 60) != first
    later = walkers_between(OPTIONS, START_S + 30, START_S + 60)
    assert {walker.id for walker in later} <= {walker.id for walker in first}
    pictures = [Scene(OPTIONS).render(START_S + 3.3) for _ in range(2)]
    assert np.array_equal(*pictures)
    assert pictures[0].shape == (360, 640, 3)


def test_as_many_people_are_in_view_as_asked_for_with_all_three_verdicts() -> None:
    options = DemoOptions(seed=2, people=4)
    present = [len(walkers_between(options, t, t)) for t in START_S + np.arange(0, 600, 2.0)]
    assert np.mean(present) == pytest.approx(4, rel=0.15)
    walkers = walkers_between(options, START_S, START_S + 300)
    assert {walker.verdict for walker in walkers} == set(JUDGED_VERDICTS)
    assert not walkers_between(DemoOptions(people=0), START_S, START_S + 60)


def test_every_passage_shows_a_face_large_enough_to_judge_and_then_leaves_the_picture() -> None:
    options = DemoOptions(seed=3, people=2, width=1280)
    for walker in walkers_between(options, START_S, START_S + 60):
        times = np.linspace(walker.enters_at_s, walker.leaves_at_s, 40, endpoint=False)
        boxes = [f.box for t in times for f in faces_at(options, t) if f.walker_id == walker.id]
        heights = [box[3] - box[1] for box in boxes]
        assert 45 < max(heights) < 170
        gone = faces_at(options, walker.leaves_at_s + 0.01)
        assert walker.id not in {face.walker_id for face in gone}


def test_a_face_behind_somebody_nearer_counts_as_hidden() -> None:
    options = DemoOptions(seed=5, people=8)
    faces = [f for t in np.arange(0, 60, 0.5) for f in faces_at(options, START_S + t)]
    assert any(face.visible < 0.2 for face in faces)
    assert any(face.visible == 1.0 for face in faces)


def test_where_the_truth_has_a_face_the_picture_differs_from_the_empty_concourse() -> None:
    scene, empty = Scene(OPTIONS), Scene(DemoOptions(people=0, width=640)).render(START_S)
    for time_s in START_S + np.arange(0, 20, 4.0):
        picture = scene.render(time_s)
        for face in faces_at(OPTIONS, time_s):
            x0, y0, x1, y1 = (round(edge) for edge in face.box)
            here = (slice(y0, y1), slice(x0, x1))
            assert np.abs(picture[here].astype(int) - empty[here]).mean() > 5
