"""A worker whose networks are a GPU of fixed speed: it waits instead of computing.

python -m benchmarks.fixed_speed REDIS_URL --frame-ms 40 --face-ms 1

Everything else is the worker that ships: leases, reading, JPEG, tracking, votes, commits. So what
several of them get done together shows what sharing the cameras costs. It also notes which cameras
it takes for its own, and when, on the machine's monotonic clock, under `BELIEFS` in Redis.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from redis.exceptions import RedisError

from bus.bus import Bus
from bus.connection.client import connect
from contract.people.verdicts import VERDICTS
from face_detector.detection import Detections
from runtime.logs import configure_logging
from runtime.settings import load_settings
from worker.networks import Networks
from worker.ownership import OwnershipThread
from worker.service import make_ownership, make_worker

Image = npt.NDArray[np.uint8]

BELIEFS: Final = "benchmark:beliefs"
"""Hash: member to its cameras with the lease's token, and when they were first and last its own."""
LOOK_S: Final = 0.02
TELL_S: Final = 0.4
FACES: Final = 3


class Device:
    """Does one thing after the other, each for a time that is known beforehand."""

    def __init__(self) -> None:
        self._free_at_s = 0.0

    def work(self, seconds: float) -> None:
        """Be busy for so long, from now or from when it is free."""
        self._free_at_s = max(self._free_at_s, time.monotonic()) + seconds
        time.sleep(max(0.0, self._free_at_s - time.monotonic()))


class FixedSpeedDetector:
    """Finds three faces that walk slowly through every frame."""

    name = "fixed speed"
    device = "cpu"
    sure_score = 0.6

    def __init__(self, device: Device, frame_s: float) -> None:
        self._device = device
        self._frame_s = frame_s

    def detect(self, frames: Sequence[Image], width_px: int | None = None) -> list[Detections]:
        self._device.work(self._frame_s * len(frames))
        return [self._faces(frame) for frame in frames]

    @staticmethod
    def _faces(frame: Image) -> Detections:
        height, width = frame.shape[:2]
        side = height / 6
        walked = time.time() * 0.02 % 0.2
        lefts = [(walked + 0.25 * number) * width for number in range(FACES)]
        boxes = np.array([(x, side, x + side, 2 * side) for x in lefts], np.float32)
        return Detections(boxes, np.full(FACES, 0.9, np.float32))


class FixedSpeedClassifier:
    """Takes every face for one with a mask."""

    labels: tuple[str, ...] = VERDICTS
    input_size = 96
    margin = 0.1
    threshold = 0.7
    device = "cpu"

    def __init__(self, device: Device, face_s: float) -> None:
        self._device = device
        self._face_s = face_s

    def classify(self, crops: Image) -> npt.NDArray[np.float32]:
        self._device.work(self._face_s * len(crops))
        return np.tile(np.array([0.95, 0.03, 0.02, 0.0], np.float32), (len(crops), 1))


class BeliefLog(threading.Thread):
    """Notes what a worker takes for its own, fifty times a second."""

    def __init__(self, redis_url: str, member: str, ownership: OwnershipThread) -> None:
        super().__init__(daemon=True)
        self._redis = connect(redis_url, "benchmark")
        self._member = member
        self._ownership = ownership
        self._spans: dict[str, tuple[float, float]] = {}

    def run(self) -> None:
        told_s = 0.0
        while True:
            now_s = time.monotonic()
            for camera_id, (_, lease) in self._ownership.owned().items():
                name = f"{camera_id}:{lease.token}"
                self._spans[name] = (self._spans.get(name, (now_s, now_s))[0], now_s)
            if now_s - told_s >= TELL_S:
                told_s = now_s
                self._tell()
            time.sleep(LOOK_S)

    def _tell(self) -> None:
        try:
            self._redis.hset(BELIEFS, self._member, json.dumps(self._spans))
        except RedisError:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("redis_url")
    parser.add_argument("--frame-ms", type=float, default=40.0)
    parser.add_argument("--face-ms", type=float, default=1.0)
    options = parser.parse_args()
    settings, device, stop = load_settings(), Device(), threading.Event()
    configure_logging("worker", settings.log_level, settings.log_format)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cv2.setNumThreads(1)
    bus = Bus(connect(options.redis_url, "maskwatch-worker"))
    detector = FixedSpeedDetector(device, options.frame_ms / 1000)
    classifier = FixedSpeedClassifier(device, options.face_ms / 1000)
    networks = Networks(lambda _: detector, settings.detector, classifier)
    member = f"worker-{os.getpid()}"
    ownership = make_ownership(bus, member, settings.lease_s, networks.devices())
    worker = make_worker(
        bus,
        networks,
        ownership,
        stop,
        staleness_budget_s=settings.staleness_budget_s,
        max_batch=settings.max_batch,
    )
    ownership.start()
    BeliefLog(options.redis_url, member, ownership).start()
    try:
        worker.run()
    finally:
        ownership.stop()


if __name__ == "__main__":
    main()
