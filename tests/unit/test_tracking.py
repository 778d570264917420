"""Faces over time, without networks or Redis."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.errors import MessageError
from worker.tracking.matching import LOST_AFTER_S
from worker.tracking.motion import BoxMotion
from worker.tracking.people import why_nobody
from worker.tracking.track import Track
from worker.tracking.tracker import Tracker
from worker.verdicts.votes import Votes


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(corners, np.float32).reshape(-1, 4)


def see(
    tracker: Tracker, found: np.ndarray, time_s: float, size: tuple[int, int] = (1920, 1080)
) -> tuple[list[Track], list[Track]]:
    tracks, ended = tracker.update(found, time_s, size)
    return [track for track in tracks if track], ended


def at(x: float, y: float = 100, size: float = 40) -> tuple[float, float, float, float]:
    return (x, y, x + size, y + size)


def walk(tracker: Tracker, xs: list[float], step_s: float = 0.2, start_s: float = 0.0) -> list[int]:
    ids = []
    for number, x in enumerate(xs):
        [track], _ = see(tracker, boxes(at(x)), start_s + number * step_s)
        ids.append(track.id)
    return ids


def test_a_walker_keeps_one_identity_even_when_boxes_do_not_overlap() -> None:
    assert set(walk(Tracker(), [0, 30, 65, 110, 160, 210, 260])) == {1}


def test_a_walker_hidden_for_a_second_comes_back_as_the_same() -> None:
    tracker = Tracker()
    walk(tracker, [0, 20, 40, 60, 80])
    [track], _ = see(tracker, boxes(at(80 + 100)), 0.8 + 1.0)
    assert track.id == 1


def test_two_people_who_cross_keep_their_identities() -> None:
    tracker = Tracker()
    for step in range(11):
        tracks, _ = see(tracker, boxes(at(20.0 * step), at(200 - 20.0 * step, y=112)), 0.125 * step)
        assert [track.id for track in tracks] == [1, 2]


def test_a_walker_who_stops_while_hidden_comes_back_as_the_same() -> None:
    tracker = Tracker()
    walk(tracker, [0, 30, 60, 90, 120, 150])
    [track], _ = see(tracker, boxes(at(160)), 1.0 + 1.6)
    assert track.id == 1


def test_a_face_that_is_where_it_was_predicted_leaves_the_other_to_somebody_new() -> None:
    tracker = Tracker()
    walk(tracker, [0, 30, 60, 90, 120, 150])
    tracks, _ = see(tracker, boxes(at(150), at(150 + 120)), 1.0 + 0.8)
    assert [track.id for track in tracks] == [2, 1]


def test_someone_elsewhere_is_someone_else() -> None:
    tracker = Tracker()
    walk(tracker, [0, 5])
    [track], _ = see(tracker, boxes(at(600)), 0.4)
    assert track.id == 2


def test_a_face_gone_for_two_seconds_ends_and_was_a_person() -> None:
    tracker = Tracker()
    walk(tracker, [0, 2, 4, 6])
    tracks, ended = see(tracker, boxes(), 0.6 + LOST_AFTER_S + 0.01)
    assert tracks == []
    assert [(track.id, why_nobody(track, False)) for track in ended] == [(1, None)]
    assert tracker.tracks == []


def test_a_clock_set_back_ends_who_was_in_view_instead_of_keeping_them_for_ever() -> None:
    tracker = Tracker()
    walk(tracker, [0, 2, 4, 6], start_s=3600)
    [track], ended = see(tracker, boxes(at(7)), 0)
    assert (track.id, [one.id for one in ended]) == (2, [1])


def test_whoever_walks_out_ends_and_whoever_comes_in_there_is_someone_else() -> None:
    tracker = Tracker()
    walk(tracker, [1760, 1800, 1840, 1880])
    _, ended = see(tracker, boxes(), 0.8)
    assert [(track.id, why_nobody(track, False)) for track in ended] == [(1, None)]
    [newcomer], _ = see(tracker, boxes(at(1870)), 1.0)
    assert newcomer.id == 2


def test_whoever_leans_out_of_the_picture_and_comes_back_is_the_same() -> None:
    tracker = Tracker()
    walk(tracker, [1880, 1884, 1888, 1892, 1896])
    _, ended = see(tracker, boxes(), 1.6)
    [track], _ = see(tracker, boxes(at(1896)), 1.8)
    assert (track.id, ended) == (1, [])


def test_whoever_comes_in_where_someone_is_going_out_is_not_taken_for_them() -> None:
    tracker = Tracker()
    walk(tracker, [1760, 1800, 1840, 1880])
    [newcomer], [gone] = see(tracker, boxes(at(1872, y=112)), 0.8)
    assert (newcomer.id, gone.id) == (2, 1)


def test_a_flicker_is_no_person() -> None:
    tracker = Tracker()
    walk(tracker, [0, 1], step_s=0.1)
    assert [why_nobody(track, False) for track in tracker.end_all()] == ["flicker"]


def test_a_saved_tracker_goes_on_exactly_like_the_one_that_was_not() -> None:
    kept = Tracker()
    for step in range(6):
        see(kept, boxes(at(10.0 * step), at(300 - 8.0 * step, y=200, size=60)), 0.2 * step)
    kept.tracks[0].votes = Votes().add(np.array([0.9, 0.05, 0.05], np.float32), 1.0, 0.9)
    resumed = Tracker.decode(kept.encode())
    for tracker in (kept, resumed):
        see(tracker, boxes(at(60.0), at(252.0, y=200, size=60)), 1.2)
    assert resumed.tracks[0].votes == kept.tracks[0].votes
    for left, right in zip(kept.tracks, resumed.tracks, strict=True):
        assert left.id == right.id
        assert left.motion.box == right.motion.box
        assert left.motion.predict(0.5) == right.motion.predict(0.5)


def test_a_walker_is_followed_through_irregular_steps() -> None:
    tracker, now_s, ids = Tracker(), 0.0, []
    for step_s in (0.1, 0.1, 0.7, 0.05, 0.4, 0.9, 0.02, 0.3, 1.1, 0.2):
        now_s += step_s
        [track], _ = see(tracker, boxes(at(150 * now_s)), now_s)
        ids.append(track.id)
    assert set(ids) == {1}


def test_a_walker_hidden_for_almost_two_seconds_comes_back_as_the_same() -> None:
    tracker = Tracker()
    walk(tracker, [0, 20, 40, 60, 80])
    [track], _ = see(tracker, boxes(at(80 + 190)), 0.8 + 1.9)
    assert track.id == 1


def test_who_passes_close_behind_somebody_standing_is_somebody_else_and_both_stay_themselves() -> (
    None
):
    tracker = Tracker()
    for step in range(21):
        walker = at(600 - 25.0 * step, y=92, size=34)
        found = [at(300 + step % 2), *([walker] if abs(walker[0] - 300) > 25 else [])]
        tracks, _ = see(tracker, boxes(*found), 0.2 * step)
        assert tracks[0].id == 1
    assert [track.id for track in tracks] == [1, 2]


def test_a_clock_set_back_a_little_breaks_no_track() -> None:
    tracker = Tracker()
    walk(tracker, [0, 10, 20, 30], start_s=100)
    [track], ended = see(tracker, boxes(at(40)), 100.3)
    assert (track.id, ended) == (1, [])


def test_a_clock_set_forward_ends_who_was_in_view() -> None:
    tracker = Tracker()
    walk(tracker, [0, 10, 20, 30])
    [track], ended = see(tracker, boxes(at(40)), 3600)
    assert (track.id, [one.id for one in ended]) == (2, [1])


def test_whoever_is_in_a_frozen_picture_is_one_person_and_not_seen_in_it_for_ever() -> None:
    tracker, ended = Tracker(), []
    walk(tracker, [0, 20, 40, 60])
    for number in range(300):
        [track], gone = see(tracker, boxes(at(60)), 0.8 + 0.2 * number)
        assert track.id == 1
        ended += gone
    for number in range(2):
        _, gone = see(tracker, boxes(at(900 + number)), 61.0 + 0.2 * number)
    assert ended == []
    assert [one.id for one in gone] == [1]
    assert gone[0].seen_for_s < 2.0


def test_a_walker_goes_on_after_a_short_freeze() -> None:
    tracker = Tracker()
    walk(tracker, [0, 20, 40, 60, 80, 100])
    for number in range(5):
        see(tracker, boxes(at(100)), 1.2 + 0.2 * number)
    [track], _ = see(tracker, boxes(at(100 + 120)), 2.2)
    assert track.id == 1


def test_somebody_standing_is_still_themselves_after_a_long_freeze() -> None:
    tracker = Tracker()
    walk(tracker, [100, 101, 100, 102, 101, 100, 101])
    for number in range(50):
        see(tracker, boxes(at(101)), 1.4 + 0.2 * number)
    [track], _ = see(tracker, boxes(at(104)), 11.6)
    assert track.id == 1


def test_people_keep_their_identities_when_the_camera_is_knocked() -> None:
    tracker = Tracker()
    for step in range(5):
        x = 10.0 * step
        see(tracker, boxes(at(300 + x), at(700 - x, y=300), at(1100, y=500, size=80)), 0.2 * step)
    moved = boxes(at(350 - 160, y=190), at(650 - 160, y=390), at(1100 - 160, y=590, size=80))
    tracks, ended = see(tracker, moved, 1.0)
    assert [track.id for track in tracks] == [1, 2, 3]
    assert ended == []


def test_another_view_ends_everyone_and_takes_nobody_for_somebody_else() -> None:
    tracker = Tracker()
    for step in range(5):
        see(tracker, boxes(at(300 + 10.0 * step), at(700, y=300)), 0.2 * step)
    ended = []
    for step in range(15):
        tracks, gone = see(
            tracker, boxes(at(1500 + step, y=700), at(40, y=20 + step, size=60)), 1.0 + 0.2 * step
        )
        ended += gone
    assert [track.id for track in tracks] == [3, 4]
    assert sorted(track.id for track in ended) == [1, 2]


def test_a_second_box_on_a_face_is_no_second_person() -> None:
    tracker = Tracker()
    for step in range(12):
        x = 200 + 12.0 * step
        # Of equal size and shifted by 0.575 of it: an IoU of 0.27, as on profiles.
        double = [at(x + 23)] if step in (3, 4, 5, 8, 9) else []
        see(tracker, boxes(at(x), *double), 0.2 * step)
    causes = [why_nobody(track, False) for track in tracker.end_all()]
    assert set(causes) == {None, "duplicate"}
    assert causes.count(None) == 1


def test_of_two_boxes_on_a_face_it_does_not_matter_which_remains() -> None:
    tracker = Tracker()
    walk(tracker, [200, 212, 224])
    see(tracker, boxes(at(236), at(259)), 0.6)
    ended = []
    for step in range(4, 12):
        _, gone = see(tracker, boxes(at(200 + 23 + 12.0 * step)), 0.2 * step)
        ended += gone
    people = [t for t in ended + tracker.end_all() if why_nobody(t, False) is None]
    assert len(people) == 1


def test_two_people_whose_faces_overlap_for_a_moment_are_two() -> None:
    tracker = Tracker()
    for step in range(16):
        see(tracker, boxes(at(20.0 * step), at(300 - 20.0 * step, y=112)), 0.2 * step)
    assert [why_nobody(track, False) for track in tracker.end_all()] == [None, None]


def test_a_picture_of_another_size_starts_afresh() -> None:
    tracker = Tracker()
    walk(tracker, [0, 20, 40, 60])
    [track], ended = see(tracker, boxes(at(80)), 0.8, size=(1280, 720))
    assert (track.id, [one.id for one in ended]) == (2, [1])


@pytest.mark.parametrize(
    "state",
    ["nonsense", "[]", '{"v":99}', '{"v":1,"next_id":1,"tracks":[]}', '{"v":2,"next_id":1}', "{}"],
)
def test_a_state_that_is_none_is_refused(state: str) -> None:
    with pytest.raises(MessageError):
        Tracker.decode(state)


def test_a_state_is_small() -> None:
    tracker = Tracker()
    see(tracker, boxes(*(at(80.0 * n) for n in range(10))), 1_700_000_000.123)
    assert len(tracker.encode()) < 10 * 335
    assert json.loads(tracker.encode())["v"] == 3


coordinate = st.floats(0, 1900, width=32)
frame_boxes = st.lists(
    st.tuples(coordinate, coordinate, st.floats(8, 300, width=32)), max_size=8
).map(lambda faces: [(x, y, x + side, y + side) for x, y, side in faces])


@settings(deadline=None)
@given(
    st.lists(st.tuples(frame_boxes, st.floats(0.05, 3)), min_size=2, max_size=12),
    st.integers(1, 11),
)
def test_a_tracker_saved_at_any_frame_ends_the_same_tracks_as_one_that_was_not(
    frames: list[tuple[list[tuple[float, float, float, float]], float]], saved_after: int
) -> None:
    kept, resumed, now_s = Tracker(), Tracker(), 1_700_000_000.0
    for number, (faces, step_s) in enumerate(frames):
        now_s += step_s
        if number == saved_after:
            resumed = Tracker.decode(resumed.encode())
        ids = [
            ([track.id for track in tracks], [track.id for track in gone])
            for tracks, gone in (see(one, boxes(*faces), now_s) for one in (kept, resumed))
        ]
        assert ids[0] == ids[1]
        assert kept.encode() == resumed.encode()
    assert kept.end_all() == resumed.end_all()


@settings(deadline=None)
@given(st.lists(st.tuples(frame_boxes, st.floats(0, 3)), max_size=12))
def test_every_detection_has_one_track_and_every_track_ends_once(
    frames: list[tuple[list[tuple[float, float, float, float]], float]],
) -> None:
    tracker, now_s, begun, ended = Tracker(), 0.0, set(), []
    for faces, step_s in frames:
        now_s += step_s
        tracks, gone = see(tracker, boxes(*faces), now_s)
        ids = [track.id for track in tracks]
        assert len(ids) == len(faces) == len(set(ids))
        begun |= set(ids)
        ended += [track.id for track in gone]
    ended += [track.id for track in tracker.end_all()]
    assert sorted(ended) == sorted(begun)


def test_motion_learns_a_constant_speed() -> None:
    motion = BoxMotion.at(boxes(at(0))[0])
    for step in range(1, 10):
        motion.update(boxes(at(10.0 * step))[0], 0.2)
    assert motion.predict(0.4)[0] == pytest.approx(90 + 20, abs=3)


def test_a_face_that_slips_behind_a_pillar_keeps_its_speed() -> None:
    motion = BoxMotion.at(boxes(at(0))[0])
    for step in range(1, 10):
        motion.update(boxes(at(10.0 * step))[0], 0.1)
    for step in range(10, 13):  # a pillar stands from x = 130 on
        motion.update(boxes((10.0 * step, 100, 130, 140))[0], 0.1)
    assert motion.predict(1.0)[0] == pytest.approx(120 + 100, abs=20)


def test_a_face_that_comes_out_from_behind_a_pillar_does_not_seem_to_approach() -> None:
    half_hidden = BoxMotion.at(boxes((80, 112, 100, 140))[0])
    for x in (70, 60, 50):
        half_hidden.update(boxes(at(x))[0], 0.1)
    assert half_hidden.height == pytest.approx(40, abs=2)
    later = half_hidden.predict(1.0)
    assert later[3] - later[1] == pytest.approx(40, rel=0.15)


def test_a_face_that_stays_smaller_is_believed_in_the_end() -> None:
    motion = BoxMotion.at(boxes(at(0, size=60))[0])
    for step in range(1, 40):
        motion.update(boxes(at(10.0 * step, size=40))[0], 0.2)
    assert motion.height == pytest.approx(40, abs=4)


def test_an_unsure_box_goes_on_with_a_track_but_begins_none() -> None:
    tracker = Tracker()
    [nobody], _ = tracker.update(boxes(at(0)), 0.0, (1920, 1080), np.float32([0.65]), 0.75)
    assert nobody is None
    assert tracker.tracks == []
    [track], _ = tracker.update(boxes(at(5)), 0.2, (1920, 1080), np.float32([0.8]), 0.75)
    [same], _ = tracker.update(boxes(at(10)), 0.4, (1920, 1080), np.float32([0.65]), 0.75)
    assert track is not None
    assert same is track


def test_a_near_face_does_not_take_the_track_of_a_far_one_that_it_hides() -> None:
    tracker = Tracker()
    for step in range(6):
        see(tracker, boxes(at(300 + 2.0 * step)), 0.2 * step)
    [hiding], _ = see(tracker, boxes(at(300, size=70)), 1.2)
    assert hiding.id == 2
    tracks, _ = see(tracker, boxes(at(314), at(200, size=70)), 1.4)
    assert [track.id for track in tracks] == [1, 2]


def test_a_half_hidden_face_is_found_where_its_open_side_is() -> None:
    tracker = Tracker()
    for step in range(6):
        see(tracker, boxes(at(300 + 10.0 * step)), 0.2 * step)
    [track], _ = see(tracker, boxes((360, 100, 382, 140)), 1.2)  # the left half alone
    assert track.id == 1
    assert track.motion.box[0] == pytest.approx(360, abs=4)
    assert track.motion.box[2] == pytest.approx(400, abs=6)
