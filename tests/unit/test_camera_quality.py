"""What a camera's picture says about the camera: decided on drawn pictures, in camera time."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.scenes.injections import Injection, injections
from bus.members.leases import Lease
from contract.cameras.camera import changed_camera, make_camera
from contract.cameras.quality import QualityReport
from contract.errors import MessageError
from contract.people.minutes import MinuteIncrements
from worker.condition.condition import CameraCondition
from worker.condition.picture import measure
from worker.condition.quality import VIEW_ACCEPTED_AFTER_S, CameraQuality, QualityState
from worker.session import CameraSession

FPS = 4.0
WIDTH, HEIGHT = 320, 180
BEGIN_S = 1_790_000_000.0
Image = npt.NDArray[np.uint8]


def drawn_scene(seed: int = 1) -> Image:
    """A place full of lines and corners."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH, 3), 130, np.uint8)
    for _ in range(60):
        x, y = int(rng.integers(WIDTH)), int(rng.integers(HEIGHT))
        w, h = (int(side) for side in rng.integers(8, 50, 2))
        shade = [int(tone) for tone in rng.integers(20, 235, 3)]
        cv2.rectangle(picture, (x, y), (x + w, y + h), shade, -1)
    return picture


class Stage:
    """A camera that films a scene with its noise, and what happens to it."""

    def __init__(self, scene: Image | None = None, noise: float = 3.0) -> None:
        self.scene = drawn_scene() if scene is None else scene
        self.noise = noise
        self.quality = CameraQuality()
        self.minutes = MinuteIncrements()
        self.time_s = BEGIN_S
        self._rng = np.random.default_rng(7)

    def filmed(self) -> Image:
        grain = self._rng.normal(0, self.noise, self.scene.shape)
        return np.clip(self.scene + grain, 0, 255).astype(np.uint8)

    def run(
        self,
        seconds: float,
        change: Callable[[Image, float], Image] = lambda image, _: image,
        fps: float = FPS,
    ) -> dict[str, float]:
        """Film on; return each problem seen with the seconds after which it was."""
        begin_s, seen = self.time_s, dict[str, float]()
        for _ in range(round(seconds * fps)):
            self.time_s += 1 / fps
            since_s = self.time_s - begin_s
            self.quality.see(measure(change(self.filmed(), since_s - 1 / fps)), self.time_s)
            self.quality.count_invalid(self.time_s - 1 / fps, self.time_s, self.minutes)
            for problem in self.quality.problems:
                seen.setdefault(problem, since_s)
        return seen

    def invalid_s(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for (_, column), amount in self.minutes.amounts().items():
            found[column] = found.get(column, 0.0) + amount / 1000
        return found


def successor_of(saved: bytes) -> CameraQuality:
    return CameraQuality(msgspec.json.decode(saved, type=QualityState))


@pytest.fixture(scope="module")
def settled_state() -> bytes:
    stage = Stage()
    assert stage.run(45) == {}
    return msgspec.json.encode(stage.quality.state)


@pytest.fixture
def stage(settled_state: bytes) -> Stage:
    stage = Stage()
    stage.quality = successor_of(settled_state)
    stage.time_s = BEGIN_S + 45
    stage.run(3)
    return stage


@pytest.mark.parametrize("injected", injections(moved=True), ids=lambda one: one.name)
def test_what_happens_to_a_camera_is_known_in_ten_seconds_and_over_soon_after(
    stage: Stage, injected: Injection
) -> None:
    seen = stage.run(10, injected.change)
    assert seen.keys() & injected.expected, f"saw {seen}"
    stage.run(8)
    assert stage.quality.problem is None


def test_a_still_scene_with_its_noise_is_not_frozen(stage: Stage) -> None:
    assert stage.run(60) == {}


def test_a_camera_that_repeats_itself_between_key_frames_is_not_frozen_for_long() -> None:
    stage = Stage()
    key_frame = stage.filmed()

    def renewed(_: Image, since_s: float) -> Image:
        nonlocal key_frame
        if since_s % 9 < 1 / FPS:
            key_frame = stage.filmed()
        return key_frame

    stage.run(45, renewed)
    assert stage.run(60, renewed) == {}
    frozen_at_s = stage.run(60, lambda *_: key_frame)["frozen"]
    assert frozen_at_s <= 30


def test_a_few_short_freezes_do_not_teach_patience(stage: Stage) -> None:
    for _ in range(2):
        held = stage.filmed()
        stage.run(12, lambda *_, held=held: held)
        stage.run(8)
    held = stage.filmed()
    assert stage.run(10, lambda *_: held)["frozen"] <= 8.5


def test_a_crowd_before_the_camera_is_not_a_moved_camera(stage: Stage) -> None:
    rng = np.random.default_rng(3)
    walkers = [(float(rng.uniform(-1, 1)), int(rng.integers(30, 120))) for _ in range(14)]

    def crowded(image: Image, since_s: float) -> Image:
        for start, top in walkers:
            x = int(((start + 0.2 * since_s) % 2 - 0.5) * WIDTH)
            cv2.rectangle(image, (x, top), (x + 26, HEIGHT), (60, 40, 30), -1)
            cv2.circle(image, (x + 13, top - 8), 9, (150, 170, 210), -1)
        return image

    assert stage.run(60, crowded) == {}


def test_a_train_that_fills_half_of_the_picture_is_not_a_moved_camera(stage: Stage) -> None:
    train = drawn_scene(9)

    def arrived(image: Image, _: float) -> Image:
        image[HEIGHT // 2 :] = train[HEIGHT // 2 :]
        return image

    assert stage.run(60, arrived) == {}


def test_light_that_is_dimmed_and_turned_up_changes_nothing(stage: Stage) -> None:
    def waving(image: Image, since_s: float) -> Image:
        return (image * (0.65 + 0.35 * np.cos(since_s / 3))).astype(np.uint8)

    assert stage.run(60, waving) == {}


def test_a_moved_cameras_new_view_is_its_view_after_a_while(stage: Stage) -> None:
    stage.scene = drawn_scene(5)
    stage.run(VIEW_ACCEPTED_AFTER_S - 10)
    assert stage.quality.problem == "moved"
    stage.run(30)
    assert stage.quality.problem is None
    stage.run(40)
    stage.scene = drawn_scene(1)
    assert "moved" in stage.run(10)


@pytest.mark.parametrize("change", [{"rotate": 180}, {"aspect": "4:3"}, {"stream": 2}, {}])
def test_a_picture_turned_by_its_setting_is_not_a_moved_camera(
    stage: Stage, change: dict[str, object]
) -> None:
    camera = make_camera(name="Gate", source="demo:")
    session = CameraSession(camera, Lease(camera.id, "worker", "w", 1))
    session.condition.quality = stage.quality
    session.follow_settings(changed_camera(camera, {"name": "Door", **change}))
    stage.scene = drawn_scene(5)
    assert ("moved" in stage.run(20)) is not bool(change)


def test_a_camera_always_on_the_move_is_never_moved() -> None:
    stage = Stage()
    wide = np.concatenate([drawn_scene(seed) for seed in range(4)], axis=1)
    for step in range(160):
        left = step * 12 % (wide.shape[1] - WIDTH)
        stage.scene = wide[:, left : left + WIDTH]
        assert stage.run(0.5) == {}


def test_a_single_bad_frame_is_no_problem(stage: Stage) -> None:
    stage.run(1 / FPS, lambda image, _: np.zeros_like(image))
    assert stage.quality.problem is None
    assert stage.run(5) == {}


def test_irregular_frames_are_judged_by_time_not_by_number(stage: Stage) -> None:
    seen = stage.run(12, lambda image, _: np.zeros_like(image), fps=1.0)
    assert seen["black"] <= 10


def test_a_long_gap_between_two_bad_frames_proves_nothing(stage: Stage) -> None:
    stage.run(1 / FPS, lambda image, _: np.zeros_like(image))
    stage.time_s += 3600
    stage.run(1 / FPS, lambda image, _: np.zeros_like(image))
    assert stage.quality.problem is None


def test_time_is_invalid_from_the_beginning_of_what_was_found_later(stage: Stage) -> None:
    before = stage.invalid_s()
    held = stage.filmed()
    stage.run(20, lambda *_: held)
    assert before == {}
    assert stage.invalid_s() == pytest.approx({"invalid_ms:frozen": 20}, abs=0.6)


def test_time_under_a_suspicion_that_comes_to_nothing_is_valid(stage: Stage) -> None:
    held = stage.filmed()
    stage.run(6, lambda *_: held)
    stage.run(10)
    assert stage.invalid_s() == {}


def test_a_successor_goes_on_with_what_was_known(stage: Stage) -> None:
    held = stage.filmed()
    stage.run(10, lambda *_: held)
    successor = successor_of(msgspec.json.encode(stage.quality.state))
    assert successor.problems == pytest.approx(stage.quality.problems)
    stage.quality = successor
    stage.run(10, lambda *_: held)
    assert successor.problem == "frozen"
    stage.run(6)
    assert successor.problem is None
    stage.scene = drawn_scene(5)
    assert "moved" in stage.run(12)


def test_a_condition_is_committed_when_a_problem_comes_or_goes_and_else_now_and_then() -> None:
    condition = CameraCondition()
    black, records = np.zeros((HEIGHT, WIDTH, 3), np.uint8), []
    for number in range(60):
        time_s = BEGIN_S + number / FPS
        condition.see(black, time_s)
        record = condition.take_record(time_s)
        if record:
            records.append((number / FPS, QualityReport.decode(record.report).problem))
    assert records[0] == (0.0, None)
    assert records[1] == (4.0, "black")
    assert len(records) == 4
    state = condition.take_record(BEGIN_S + 60)
    assert state is not None
    assert CameraCondition.decode(state.state).quality.problem == "black"


def test_a_condition_of_another_version_is_refused_with_the_reason() -> None:
    with pytest.raises(MessageError, match="condition has schema '99'"):
        CameraCondition.decode('{"v":99}')
    with pytest.raises(MessageError, match="cannot be read"):
        CameraCondition.decode("[]")
    with pytest.raises(MessageError, match="quality has schema"):
        QualityReport.decode('{"v":0}')
