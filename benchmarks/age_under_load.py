"""C: how old frames are when committed and when shown, below, at and above capacity.

python -m benchmarks.age_under_load [--loads 50 80 100 200] [--seconds 20] [--cameras 4]

Capacity is what the running system analyses of the concourse clip when the film plays as fast as
the workers follow, somebody watching all cameras. Then the film plays at the speed that offers a
share of it, every frame to be analysed, in a system started anew for each share. The machine reads,
analyses, serves and watches. Capture to committed is seen in Redis, capture to shown on arrival of
the wall's pictures over HTTP. In the end, with the cameras switched off, every captured frame must
be accounted for: analysed, dropped by a cause, or (published and not yet committed) in flight.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.against_seed import FASTEST_FPS, reading
from benchmarks.scenes.films import concourse
from benchmarks.speed.ages import AgeWatch
from benchmarks.speed.load import Meter, Span, film_cameras, set_all, wait_for_pictures
from benchmarks.speed.watch import percentiles
from benchmarks.system import System, machine, print_result, running_system, wait_until
from benchmarks.wall_viewers import watching
from bus.keys import CameraKeys
from contract.cameras.camera import Camera
from contract.people.totals import DROP_CAUSES, dropped_field, frames_field

FILM_FPS: Final = 25
SETTLE_S: Final = 4.0
P99_TARGETS_S: Final = {80: 0.5, 200: 1.0}
FLAT: Final = 1.05
"""Median memory in the last third over that in the first."""


@dataclass(frozen=True)
class Level:
    """What was found at one load."""

    share: int
    """Percent of capacity that was offered."""
    span: Span
    committed_s: Sequence[float]
    shown_s: Sequence[float]
    memory_mb: Sequence[float]
    unaccounted: int
    """Captured frames that are neither analysed, dropped, nor in flight."""
    in_flight: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, nargs="+", default=[50, 80, 100, 200])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--cameras", type=int, default=4)
    options = parser.parse_args()
    capacity_fps = capacity(options.cameras, options.seconds / 2)
    print(f"{machine()}; {options.cameras} cameras", flush=True)
    print(f"capacity: {capacity_fps:.1f} frames/s", flush=True)
    print(f"{'load':>5} {'offered':>8} {'analysed':>8}  committed p50 p95 p99   shown p50 p95 p99")
    for share in options.loads:
        speed = capacity_fps * share / 100 / options.cameras / FILM_FPS
        level = measure(share, speed, options.cameras, options.seconds)
        show(level, capacity_fps)
        report(level)


def capacity(cameras: int, seconds: float) -> float:
    """Frames analysed a second with films as fast as workers follow, while somebody watches."""
    with films_at(0.0, cameras) as system, watching(system, 1) as viewer:
        meter = Meter(system, system.cameras())
        time.sleep(seconds)
        span = meter.span()
        viewer.leave()
        return span.fps


def measure(share: int, speed: float, cameras: int, seconds: float) -> Level:
    """Play the films at `speed` for a while, with a viewer, and watch."""
    with films_at(speed, cameras) as system, watching(system, 1) as viewer:
        found = system.cameras()
        watch, memory = AgeWatch(system, found), MemoryWatch(system)
        meter = Meter(system, found)
        watch.start()
        memory.start()
        time.sleep(seconds)
        span = meter.span()
        ages_s, memory_mb = watch.stop(), memory.stop()
        shown_s = viewer.leave()
        unaccounted, in_flight = account(system, found)
    return Level(share, span, ages_s, shown_s, memory_mb, unaccounted, in_flight)


@contextmanager
def films_at(speed: float, cameras: int) -> Iterator[System]:
    """A running system with cameras that play the film, every frame of it to be analysed."""
    names = {f"film{number}": concourse() for number in range(cameras)}
    settings = {**film_cameras(names), "MASKWATCH_FILE_SPEED": f"{speed:.4f}"}
    with running_system(settings) as system:
        set_all(system, system.cameras(), analysis_fps=FASTEST_FPS)
        wait_for_pictures(system, system.cameras())
        time.sleep(SETTLE_S)
        yield system


class MemoryWatch(threading.Thread):
    """Notes what Redis uses, ten times a second."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self._redis = system.redis
        self._over = threading.Event()
        self._found: list[float] = []

    def run(self) -> None:
        while not self._over.wait(0.1):
            info: Any = self._redis.info("memory")
            self._found.append(int(info["used_memory"]) / 1e6)

    def stop(self) -> list[float]:
        """End, and return megabytes in order."""
        self._over.set()
        self.join()
        return self._found


def account(system: System, cameras: Sequence[Camera]) -> tuple[int, int]:
    """Switch the cameras off; return the frames nobody accounts for, and those in flight."""
    set_all(system, cameras, enabled=False)
    wait_until(lambda: not reading(system), 30, "the readers to end", system)
    time.sleep(2.0)
    unaccounted = in_flight = 0
    for camera in cameras:
        totals = system.totals(camera)
        position: Any = system.redis.get(CameraKeys(camera.id).position) or b"0"
        flying = round(totals.get(frames_field("published"), 0)) - int(position.split()[0])
        accounted = totals.get(frames_field("analysed"), 0) + _dropped(totals) + flying
        unaccounted += abs(round(totals.get(frames_field("captured"), 0) - accounted))
        in_flight += flying
    return unaccounted, in_flight


def _dropped(totals: Mapping[str, float]) -> float:
    causes = [cause for cause in DROP_CAUSES if cause != "malformed"]
    return sum(totals.get(dropped_field(cause), 0) for cause in causes)


def show(level: Level, capacity_fps: float) -> None:
    """Print one level."""
    drops = {cause: round(n) for cause, n in level.span.drops.items() if n}
    ages = "   ".join(
        " ".join(f"{age:6.3f}" for age in percentiles(list(found)))
        for found in (level.committed_s, level.shown_s)
    )
    offered = capacity_fps * level.share / 100
    print(f"{level.share:4} % {offered:8.1f} {level.span.fps:8.1f}  {ages}")
    print(
        f"       dropped {drops or 'nothing'}; in flight at the end {level.in_flight}; Redis "
        f"{min(level.memory_mb):.1f} to {max(level.memory_mb):.1f} MB; "
        f"{sum(level.span.cpu_s.values()) / level.span.seconds:.2f} cores",
        flush=True,
    )


def report(level: Level) -> None:
    """Print one level's results."""
    p99_s = percentiles(list(level.committed_s))[2]
    limit_s = P99_TARGETS_S.get(level.share)
    print_result(
        f"C1 p99 capture to committed at {level.share} %",
        *(round(p99_s, 3), "s", f"<= {limit_s:g}" if limit_s else "none"),
        limit_s is None or p99_s <= limit_s,
    )
    shown_s = percentiles(list(level.shown_s))[2]
    title = f"C2 p99 capture to shown at {level.share} %"
    print_result(title, round(shown_s, 3), "s", "none", True)
    third = max(1, len(level.memory_mb) // 3)
    first = statistics.median(level.memory_mb[:third])
    last = statistics.median(level.memory_mb[-third:])
    print_result(
        f"C3 Redis memory at {level.share} %, last third over first",
        *(round(last / first, 3), "times", f"<= {FLAT:g}", last / first <= FLAT),
    )
    print_result(
        f"C4 frames not accounted for at {level.share} %",
        *(level.unaccounted, "frames", "0", level.unaccounted == 0),
    )


if __name__ == "__main__":
    main()
