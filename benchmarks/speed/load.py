"""Cameras for a running system, and what a span of time cost it: processor, frames, faces."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.system import System, wait_until
from bus import keys
from bus.keys import CameraKeys
from contract.cameras.camera import Camera
from contract.people.minutes import FACES, parse_open_field
from contract.people.totals import (
    DROP_CAUSES,
    batch_field,
    decode_totals,
    dropped_field,
    frames_field,
)

CLASSIFIER: Final = "mask_classifier"
IN_PATH: Final = ("ingest", "reader", "redis", "worker")
"""The processes that a frame passes, and the one that minds the readers."""


@dataclass(frozen=True)
class Span:
    """What happened between two moments, all cameras together."""

    seconds: float
    cpu_s: Mapping[str, float]
    """Processor seconds by role."""
    frames: Mapping[str, float]
    """By stage: captured, published, analysed."""
    drops: Mapping[str, float]
    """By cause."""
    faces: float
    """Faces in the analysed frames, each with its track and the track's verdict."""
    classified: float
    """Faces that the classifier looked at."""

    @property
    def fps(self) -> float:
        """Frames analysed a second."""
        return self.frames["analysed"] / self.seconds

    def cpu_ms(self, roles: Iterable[str] | None = None) -> float:
        """Processor milliseconds an analysed frame, of these roles or of all."""
        chosen = self.cpu_s if roles is None else {role: self.cpu_s.get(role, 0) for role in roles}
        return sum(chosen.values()) * 1000 / max(1.0, self.frames["analysed"])


class Meter:
    """Reads a system's counters, to tell what the time since the last reading cost.

    Processes that started or ended in between count with what they used while both readings saw
    them: begin a span when all runs.
    """

    def __init__(self, system: System, cameras: Sequence[Camera]) -> None:
        self._system = system
        self._cameras = cameras
        self._before = self._read()

    def restart(self) -> None:
        """Begin a new span now."""
        self._before = self._read()

    def span(self) -> Span:
        """What happened since the last reading; begins a new span."""
        before, now = self._before, self._read()
        self._before = now
        changes = {name: n - before.counts.get(name, 0.0) for name, n in now.counts.items()}
        cpu_s: dict[str, float] = {}
        for (role, pid), used_s in now.cpu_s.items():
            cpu_s[role] = cpu_s.get(role, 0.0) + used_s - before.cpu_s.get((role, pid), used_s)
        stages = ("captured", "published", "analysed")
        return Span(
            seconds=now.at_s - before.at_s,
            cpu_s=cpu_s,
            frames={stage: changes.get(frames_field(stage), 0.0) for stage in stages},
            drops={cause: changes.get(dropped_field(cause), 0.0) for cause in DROP_CAUSES},
            faces=changes["faces"],
            classified=changes.get(f"{batch_field(CLASSIFIER)}:sum", 0.0),
        )

    def _read(self) -> _Reading:
        counts: dict[str, float] = {"faces": 0.0}
        for camera in self._cameras:
            for field, amount in self._system.totals(camera).items():
                counts[field] = counts.get(field, 0.0) + amount
            minutes: Any = self._system.redis.hgetall(CameraKeys(camera.id).minutes)
            counts["faces"] += sum(int(n) for column, n in minutes.items() if _is_faces(column))
        raw: Any = self._system.redis.hgetall(keys.INFERENCE)
        totals = {**counts, **decode_totals(raw)}
        return _Reading(time.monotonic(), totals, cpu_by_process(self._system))


@dataclass(frozen=True)
class _Reading:
    at_s: float
    counts: Mapping[str, float]
    cpu_s: Mapping[tuple[str, int], float]


def _is_faces(field: bytes) -> bool:
    return parse_open_field(field)[1] == FACES


def cpu_by_process(system: System) -> dict[tuple[str, int], float]:
    """Processor seconds used so far, by role and process id; what reads cameras is `reader`."""
    used = {}
    for name, processes in system.processes().items():
        role = "reader" if name.startswith("ingest child") else name
        for process in processes:
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            used[role, process.pid] = times.user + times.system
    return used


def film_cameras(films: Mapping[str, Path | str]) -> dict[str, str]:
    """The environment that has `maskwatch run` register these films as cameras."""
    return {"CAMERAS": " ".join(f"{name}={film}" for name, film in films.items())}


def set_all(system: System, cameras: Iterable[Camera], **fields: object) -> None:
    """Change the same of all these cameras."""
    for camera in cameras:
        system.call("PATCH", f"/api/v1/cameras/{camera.id}", fields)


def wait_for_pictures(system: System, cameras: Sequence[Camera], timeout_s: float = 120) -> None:
    """Wait until all workers are there, and each camera has a frame captured from then on."""
    wait_until(system.complete, timeout_s, "all workers", system)
    from_s = time.time()

    def fresh(camera: Camera) -> bool:
        latest = system.latest(camera)
        return latest is not None and latest.captured_at_s > from_s

    wait_until(lambda: all(map(fresh, cameras)), timeout_s, "pictures of all cameras", system)


def spread(values: Sequence[float]) -> str:
    """Median, least and most of some repetitions in a few characters."""
    if not values:
        return "nothing"
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"
