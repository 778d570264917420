"""Which faces are classified, when there are more than can be."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from worker.budget import NEW_URGENCY, SETTLED_EVERY_S, UNSETTLED_EVERY_S, Budget, urgency
from worker.tracking.track import Track

BOX = np.array([0, 0, 60, 60], np.float32)
MASK = np.array([0.95, 0.03, 0.02], np.float32)
UNSURE = np.array([0.4, 0.3, 0.3], np.float32)


def face(probabilities: np.ndarray | None, looks: int = 4, begun_s: float = 100.0) -> Track:
    """A face first seen at `begun_s` and looked at every 0.2 s since."""
    track = Track.begin(1, BOX, 0.9, begun_s)
    for number in range(looks if probabilities is not None else 0):
        track.votes = track.votes.add(probabilities, 1.0, begun_s + 0.2 * number)
    return track


def test_a_new_face_is_due_at_once_a_settled_one_only_after_a_while() -> None:
    settled, looked_s = face(MASK), 100.6
    assert settled.votes.settled
    assert urgency(face(None), 100.0) >= 1
    assert urgency(settled, looked_s + 0.9 * SETTLED_EVERY_S) < 1
    assert urgency(settled, looked_s + SETTLED_EVERY_S) >= 1


def test_an_open_face_is_looked_at_often_at_first_and_rarely_when_looks_do_not_help() -> None:
    fresh, old = face(UNSURE), face(UNSURE, looks=60)
    assert urgency(fresh, fresh.votes.looked_at_s + UNSETTLED_EVERY_S) >= 1
    assert urgency(old, old.votes.looked_at_s + UNSETTLED_EVERY_S) < 1
    assert urgency(old, old.votes.looked_at_s + SETTLED_EVERY_S) >= 1


def test_new_faces_come_first_and_the_budget_is_kept() -> None:
    settled = urgency(face(MASK), 101.15)
    unsettled = urgency(face(UNSURE), 100.6 + 1.2 * UNSETTLED_EVERY_S)
    new = urgency(face(None), 100.0)
    assert Budget(2).choose([settled, new, unsettled, 0.5]) == [1, 2]
    assert Budget(9).choose([settled, new, unsettled, 0.5]) == [1, 2, 0]


def test_without_a_budget_every_face_is_classified_in_every_frame() -> None:
    assert Budget(None).choose([0.0, 0.5, NEW_URGENCY]) == [0, 1, 2]


def test_nobody_starves_behind_a_crowd_of_newcomers() -> None:
    """Two faces a frame may be classified; three new ones come with every frame."""
    waiting = face(MASK)
    looked_s, frame_s = waiting.votes.looked_at_s, 0.2
    crowd: list[Track] = []
    for number in range(1, 200):
        now_s = looked_s + number * frame_s
        crowd += [face(None, begun_s=now_s) for _ in range(3)]
        tracks = [waiting, *crowd]
        for index in Budget(2).choose([urgency(track, now_s) for track in tracks]):
            tracks[index].votes = replace(waiting.votes, looked_at_s=now_s)
        crowd = [track for track in crowd if now_s - track.first_seen_s < 5.0]
        if waiting.votes.looked_at_s > looked_s:
            break
    assert waiting.votes.looked_at_s > looked_s
