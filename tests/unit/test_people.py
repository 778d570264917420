"""A finished person as a message."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bus.members.leases import Lease
from contract.cameras.camera import make_camera
from contract.errors import MessageError
from contract.people.people import LineCrossing, Person, VerdictChange
from contract.people.totals import Increments, crossed_field, people_field, read_crossed_field
from contract.pictures.frames import FrameMessage
from tests.builders import ScriptedClassifier, ScriptedDetector
from worker.frame import TakenFrame
from worker.networks import Networks
from worker.pipeline import Pipeline
from worker.session import CameraSession
from worker.tracking.people import count, why_nobody
from worker.tracking.track import Track
from worker.tracking.tracker import Tracker

SOMEBODY = Person(
    track_id=7,
    first_seen_s=100.25,
    last_seen_s=107.5,
    sightings=36,
    best_face_px=88.4,
    verdict="mask",
    confidence=0.91,
    judged_s=4.2,
    crossings=(LineCrossing(103.0, "Door: north", "in"),),
    zones=("Queue",),
    changes=(VerdictChange(101.0, "no_mask", "mask"),),
)


def test_a_person_reads_back_as_they_were_written() -> None:
    assert Person.decode(SOMEBODY.encode()) == SOMEBODY


@pytest.mark.parametrize(
    "raw", ["nonsense", "[]", "{}", '{"v":99}', json.dumps({"v": 1, "track_id": 1})]
)
def test_what_is_no_person_is_refused(raw: str) -> None:
    with pytest.raises(MessageError):
        Person.decode(raw)


def test_a_line_may_have_any_name_and_its_total_is_still_told_apart() -> None:
    field = crossed_field("Door: north:in", "out", "no_mask")
    assert read_crossed_field(field) == ("Door: north:in", "out", "no_mask")
    assert read_crossed_field("people:mask") is None


def test_a_verdict_below_the_least_confidence_is_unknown_and_counted_as_that() -> None:
    def judged(least_confidence: float) -> tuple[str, float, Increments]:
        track = Track.begin(1, np.array([0, 0, 60, 60], np.float32), 0.9, 100.0)
        for number in range(1, 6):
            track.see(np.array([9 * number, 0, 60, 60], np.float32), 0.9, 100 + 0.2 * number, False)
            look = np.array([0.85, 0.1, 0.05], np.float32)
            track.votes = track.votes.add(look, 0.4, 100 + 0.2 * number)
        increments = Increments()
        [person] = count([track], False, increments, least_confidence)
        return person.verdict, person.confidence, increments

    verdict, confidence, increments = judged(0.5)
    assert (verdict, dict(increments.items())[people_field("mask")]) == ("mask", 1)
    verdict, none, increments = judged(confidence + 0.01)
    assert (verdict, none) == ("unknown", 0.0)
    assert dict(increments.items())[people_field("unknown")] == 1


@pytest.mark.parametrize(
    ("score", "unjudgeable", "cause"),
    [(0.65, 0.95, "no_face"), (0.65, 0.5, None), (0.9, 0.95, None)],
)
def test_what_both_networks_doubt_is_no_person(
    score: float, unjudgeable: float, cause: str | None
) -> None:
    tracker = Tracker()
    for number in range(5):
        box = np.array([[9 * number, 0, 9 * number + 60, 60]], np.float32)
        scores = np.array([score if number else 0.8], np.float32)
        [track], _ = tracker.update(box, 100 + 0.2 * number, (640, 360), scores, 0.75)
        assert track is not None
        track.add_unjudgeable(unjudgeable)
    assert why_nobody(track, has_zones=False) == cause


def test_a_look_at_a_face_that_can_hardly_be_judged_speaks_against_its_track() -> None:
    camera = make_camera(name="Gate", source="demo:")
    session = CameraSession(camera, Lease(camera.id, "worker", "test", 1))
    detector = ScriptedDetector([[(100, 100, 160, 160)]])
    classifier = ScriptedClassifier((0.02, 0.02, 0.01, 0.95))
    frame = TakenFrame(
        camera, FrameMessage(camera.id, b"", 1, 1, 100.0, b""), np.zeros((360, 640, 3), np.uint8)
    )
    pipeline = Pipeline(Networks(lambda _: detector, "yunet", classifier))
    pipeline.run({camera.id: session}, [frame], {})
    [track] = session.tracker.tracks
    assert track.unjudgeable == pytest.approx(0.15)
