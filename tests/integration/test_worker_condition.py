"""A camera with an unreliable picture, on a real Redis."""

from __future__ import annotations

import cv2
import numpy as np
from redis import Redis

from bus.keys import CameraKeys
from bus.members.leases import LeaseStore
from contract.cameras.camera import Camera
from contract.cameras.quality import QualityReport
from tests.builders import ScriptedDetector, Source, add_camera
from tests.integration.test_worker import Bench, minutes_of

FPS = 4


class Film:
    """Publishes and analyses the frames of seconds long past, as if it were then."""

    def __init__(self, source: Source, ago_s: float) -> None:
        self._source = source
        self._ago_s = ago_s
        self._rng = np.random.default_rng(1)
        self._scene = cv2.resize(
            self._rng.integers(30, 220, (9, 16, 3), dtype=np.uint8),
            (320, 180),
            interpolation=cv2.INTER_NEAREST,
        )

    def run(self, bench: Bench, seconds: float, frozen: bool) -> None:
        picture = self._filmed()
        for _ in range(round(seconds * FPS)):
            self._ago_s -= 1 / FPS
            bench.clock.offset_s = -self._ago_s
            self._source.publish(self._ago_s, picture if frozen else self._filmed())
            bench.steps()

    def _filmed(self) -> bytes:
        grain = self._rng.normal(0, 4, self._scene.shape)
        noisy = np.clip(self._scene + grain, 0, 255).astype(np.uint8)
        encoded, jpeg = cv2.imencode(".jpg", noisy)
        assert encoded
        return jpeg.tobytes()


def report_of(redis: Redis, camera: Camera) -> QualityReport:
    raw = redis.hget(CameraKeys(camera.id).condition, "report")
    assert isinstance(raw, bytes)
    return QualityReport.decode(raw)


def test_a_frozen_cameras_minutes_are_invalid_in_redis(redis: Redis) -> None:
    camera = add_camera(redis, analysis_fps=FPS)
    bench = Bench(redis, ScriptedDetector())
    bench.own(camera)
    film = Film(Source(redis, camera), ago_s=60)
    film.run(bench, 8, frozen=False)
    assert report_of(redis, camera).problem is None
    film.run(bench, 15, frozen=True)
    assert report_of(redis, camera).problem == "frozen"
    film.run(bench, 8, frozen=False)
    assert report_of(redis, camera).problem is None
    minutes = minutes_of(redis, camera)
    # The clock of the test runs on beside the film's, so both are a little longer.
    assert minutes["analysed_ms"] >= 30_000
    assert 14_500 <= minutes["invalid_ms:frozen"] <= minutes["analysed_ms"] - 11_000


def test_a_takeover_does_not_forget_that_the_picture_is_frozen(redis: Redis) -> None:
    camera = add_camera(redis, analysis_fps=FPS)
    first = Bench(redis, ScriptedDetector())
    lease = first.own(camera)
    film = Film(Source(redis, camera), ago_s=60)
    film.run(first, 5, frozen=False)
    # The same picture goes on over the takeover, so both films share one.
    picture = film._filmed()
    film._filmed = lambda: picture  # type: ignore[method-assign]
    film.run(first, 10, frozen=True)
    since_s = report_of(redis, camera).problems["frozen"]
    LeaseStore(redis, "worker", "w1", 30).release(lease)
    second = Bench(redis, ScriptedDetector())
    second.own(camera, "w2")
    film.run(second, 6, frozen=True)
    assert report_of(redis, camera).problems == {"frozen": since_s}
    assert minutes_of(redis, camera)["invalid_ms:frozen"] >= 14_000
