"""The detector's width of a camera: what is taken, what follows the faces, what the worker does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from bus.members.leases import Lease
from contract.cameras.camera import Camera, changed_camera, make_camera
from contract.errors import CameraFieldsError
from contract.pictures.frames import FrameMessage
from face_detector.detection import Detections
from tests.builders import ScriptedClassifier, ScriptedDetector
from worker.detector_width import AutomaticWidth
from worker.frame import TakenFrame
from worker.networks import Networks
from worker.pipeline import Pipeline
from worker.session import CameraSession

FULL_HD = np.zeros((1080, 1920, 3), np.uint8)
SMALL = (900.0, 500.0, 924.0, 530.0)
LARGE = (700.0, 300.0, 820.0, 450.0)
CLOSE = (300.0, 100.0, 900.0, 800.0)
BEGIN_S = 1_790_000_000.0


class WidthDetector(ScriptedDetector):
    """Notes the widths of each batch, and finds one face in each frame."""

    def __init__(self, box: tuple[float, float, float, float]) -> None:
        super().__init__()
        self.box = box
        self.asked: list[tuple[int | None, int]] = []

    def detect(
        self, frames: Sequence[npt.NDArray[np.uint8]], width_px: int | None = None
    ) -> list[Detections]:
        self.asked.append((width_px, len(frames)))
        self.script = [(self.box,) for _ in frames]
        return super().detect(frames)


class Rig:
    """Cameras of one worker."""

    def __init__(self, box: tuple[float, float, float, float], *cameras: Camera) -> None:
        self.detector = WidthDetector(box)
        self.pipeline = Pipeline(Networks(lambda _: self.detector, "yunet", ScriptedClassifier()))
        self.sessions = {c.id: CameraSession(c, Lease(c.id, "worker", "test", 1)) for c in cameras}
        self.number = 0

    def take(self) -> list[tuple[int | None, int]]:
        """Analyse a frame of each camera; return the widths and sizes of the batches."""
        self.number += 1
        taken = [
            TakenFrame(s.camera, self.message(s.camera), FULL_HD) for s in self.sessions.values()
        ]
        self.detector.asked.clear()
        self.pipeline.run(self.sessions, taken, {})
        return self.detector.asked

    def message(self, camera: Camera) -> FrameMessage:
        time_s = BEGIN_S + 0.1 * self.number
        return FrameMessage(camera.id, b"", self.number, self.number, time_s, b"")


def camera(**fields: object) -> Camera:
    return make_camera(name="Gate", source="demo:", **fields)


@pytest.mark.parametrize(
    ("written", "meant"),
    [(None, None), ("", None), (960, 960), ("1280", 1280), (" 640 ", 640), ("Auto", "auto")],
)
def test_a_width_is_taken_as_forms_and_files_write_it(written: object, meant: object) -> None:
    assert camera(detector_width=written).detector_width == meant


@pytest.mark.parametrize("written", [0, 700, "961", "wide", True, 960.5, [], "²"])
def test_another_width_is_refused_with_what_was_expected(written: object) -> None:
    with pytest.raises(CameraFieldsError, match="detector_width: expected 640, 960 or 1280"):
        camera(detector_width=written)


def test_frames_of_one_width_share_a_batch_and_a_running_camera_follows_its_setting() -> None:
    cameras = [camera(), camera(detector_width=960), camera(detector_width=960)]
    rig = Rig(LARGE, *cameras)
    assert rig.take() == [(None, 1), (960, 2)]
    rig.sessions[cameras[1].id].follow_settings(
        changed_camera(cameras[1], {"detector_width": "1280"})
    )
    assert rig.take() == [(None, 1), (1280, 1), (960, 1)]


def test_an_automatic_width_follows_small_faces_and_stays_for_large_ones() -> None:
    assert [Rig(box, camera(detector_width="auto")).take() for box in (SMALL, LARGE)] == [
        [(640, 1)],
        [(640, 1)],
    ]
    for box, width in ((SMALL, 1280), (LARGE, 640)):
        rig = Rig(box, camera(detector_width="auto"))
        for _ in range(120):
            asked = rig.take()
        assert asked == [(width, 1)]


def test_an_automatic_width_becomes_narrower_only_with_a_margin() -> None:
    width = AutomaticWidth()
    steps = []
    for height_px in (30, 42, 50, 62, 76):
        for _ in range(500):
            width.see([height_px], 1920)
        steps.append(width.width_px)
    assert steps == [1280, 1280, 960, 960, 640]


def test_a_picture_is_never_widened_and_faces_that_are_not_judged_do_not_count() -> None:
    small_picture, far_away = AutomaticWidth(), AutomaticWidth()
    for _ in range(200):
        small_picture.see([20.0], 640)
        far_away.see([12.0], 1920)
    assert small_picture.width_px == far_away.width_px == 640
