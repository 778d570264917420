"""A worker's steps: the analyser only returns values, and a camera's session alone changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from bus.members.leases import Lease
from contract.cameras.camera import Camera, make_camera
from contract.people.outcomes import Committed
from contract.people.totals import Increments
from contract.pictures.frames import FrameMessage
from tests.builders import ScriptedClassifier, ScriptedDetector
from worker.analysis import Analyser
from worker.frame import TakenFrame, TrackedFrame
from worker.networks import Networks
from worker.pipeline import Pipeline
from worker.session import CameraSession

LEFT, RIGHT = (40.0, 60.0, 90.0, 120.0), (200.0, 60.0, 250.0, 120.0)
TINY = (140.0, 60.0, 152.0, 74.0)
BEGIN_S = 1_790_000_000.0
NOTHING = Committed()
PICTURE = np.random.default_rng(1).integers(0, 255, (180, 320, 3), np.uint8)
"""Not blurred, so that one look tells much."""


@dataclass
class OneCamera:
    """A camera whose frames a test hands over, with detections that it scripts."""

    analyser: Analyser
    session: CameraSession
    detector: ScriptedDetector
    frames: int = 0

    def taken(self) -> TakenFrame:
        self.frames += 1
        time_s = BEGIN_S + 0.2 * self.frames
        camera = self.session.camera
        message = FrameMessage(camera.id, b"", self.frames, self.frames, time_s, b"")
        return TakenFrame(camera, message, PICTURE)

    def tracked(self, *boxes: tuple[float, float, float, float]) -> TrackedFrame:
        self.detector.script = [boxes]
        [detected] = self.analyser.detect([self.taken()])
        return self.session.track(detected)

    def state(self) -> tuple[str, object, Increments, int]:
        session = self.session
        record = session.condition.quality.state, session.condition.fitness.state
        backlog = session.backlog
        return session.tracker.encode(), repr(record), backlog.drops, backlog.sequence


def networks_of(detector: ScriptedDetector) -> Networks:
    return Networks(lambda _: detector, "yunet", ScriptedClassifier())


def session_of(camera: Camera, committed: Committed = NOTHING) -> CameraSession:
    lease = Lease(camera.id, "worker", "test", 1)
    return CameraSession.resume(camera, lease, committed, BEGIN_S)


@pytest.fixture
def one() -> OneCamera:
    detector = ScriptedDetector()
    session = session_of(make_camera(name="Gate", source="demo:"))
    return OneCamera(Analyser(networks_of(detector)), session, detector)


def test_the_analyser_returns_what_it_sees_and_changes_no_camera(one: OneCamera) -> None:
    tracked = one.tracked(LEFT, RIGHT)
    before = one.state()
    [looks] = one.analyser.classify([tracked])
    one.detector.script = [(LEFT,)]
    [detected] = one.analyser.detect([one.taken()])
    assert sorted(look.index for look in looks) == [0, 1]
    assert len(detected.detections) == 1
    assert one.state() == before


def test_folding_a_frame_gives_its_faces_their_verdicts_and_says_all_that_changed(
    one: OneCamera,
) -> None:
    tracked = one.tracked(LEFT, RIGHT)
    [looks] = one.analyser.classify([tracked])
    outcome = one.session.fold(tracked, looks, BEGIN_S + 1)
    assert outcome.faces is not None
    assert [face.verdict for face in outcome.faces.faces] == ["mask", "mask"]
    assert (outcome.sequence, outcome.explained) == (1, 1)
    assert outcome.tracker_state == one.session.tracker.encode()
    assert one.session.condition.fitness.state.looks > 1


def test_a_face_too_small_to_judge_is_tracked_and_not_looked_at(one: OneCamera) -> None:
    tracked = one.tracked(LEFT, TINY)
    [looks] = one.analyser.classify([tracked])
    assert len(tracked.tracks) == 2
    assert [look.index for look in looks] == [0]


def test_the_looks_of_several_cameras_come_back_to_the_frame_that_each_belongs_to() -> None:
    cameras = [make_camera(name=name, source="demo:") for name in ("A", "B", "C")]
    detector = ScriptedDetector([(LEFT,), (), (LEFT, RIGHT)])
    rigs = [OneCamera(Analyser(networks_of(detector)), session_of(c), detector) for c in cameras]
    detected = rigs[0].analyser.detect([rig.taken() for rig in rigs])
    tracked = [rig.session.track(frame) for rig, frame in zip(rigs, detected, strict=True)]
    looks: Sequence[list[object]] = rigs[0].analyser.classify(tracked)
    assert [len(one) for one in looks] == [1, 0, 2]


def test_a_session_that_is_resumed_from_what_it_committed_goes_on_alike(one: OneCamera) -> None:
    pipeline = Pipeline(networks_of(one.detector), lambda: BEGIN_S + 1)
    committed = NOTHING
    for step in range(6):
        box = (LEFT[0] + 8 * step, LEFT[1], LEFT[2] + 8 * step, LEFT[3])
        frame, outcomes = one.taken(), []
        fresh = session_of(one.session.camera, committed)
        for session in (one.session, fresh):
            one.detector.script = [(box,)]
            sessions = {session.camera.id: session}
            [(_, outcome)] = pipeline.run(sessions, [frame], {session.camera.id: 160})
            outcomes.append(outcome)
        assert outcomes[0].faces == outcomes[1].faces
        assert outcomes[0].tracker_state == outcomes[1].tracker_state
        assert outcomes[0].annotated_jpeg == outcomes[1].annotated_jpeg != b""
        condition = outcomes[0].condition
        committed = Committed(
            outcomes[0].sequence,
            outcomes[0].tracker_state,
            frame.message.captured_at_s,
            condition.state if condition else committed.condition_state,
        )
    assert len(one.session.flush().people) == 1
