"""Follows the outcomes that a running system commits, frame by frame."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from benchmarks.system import System
from contract.cameras.camera import Camera
from contract.people.faces import FrameFaces


@dataclass
class Watched:
    """What was seen of one camera."""

    frames: list[FrameFaces] = field(default_factory=list)

    def ages_s(self) -> list[float]:
        """Capture to analysed of every frame."""
        return [frame.analysed_at_s - frame.captured_at_s for frame in self.frames]


class Watch(threading.Thread):
    """Reads each camera's newest outcome 50 times a second until stopped."""

    def __init__(self, system: System, cameras: list[Camera]) -> None:
        super().__init__(daemon=True)
        self._system = system
        self._cameras = cameras
        self._stop_asked = threading.Event()
        self.seen: dict[str, Watched] = defaultdict(Watched)

    def run(self) -> None:
        while not self._stop_asked.wait(0.02):
            for camera in self._cameras:
                latest = self._system.latest(camera)
                frames = self.seen[camera.id].frames
                if latest and (not frames or latest.sequence > frames[-1].sequence):
                    frames.append(latest)

    def stop(self) -> None:
        self._stop_asked.set()
        self.join()


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """The 50th, 95th and 99th percentile; not-a-number of nothing."""
    if not values:
        return (float("nan"),) * 3
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return float(p50), float(p95), float(p99)
