"""People counted by a running system against who really walked through its demo scenes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from benchmarks.system import System, running_system, wait_until
from contract.cameras.camera import Camera
from contract.people.verdicts import VERDICTS
from ingest.demo.options import parse_demo
from ingest.demo.walkers import Walker, walkers_between

COUNTED_AFTER_S = 5.0
"""By then everyone who left was counted: a track ends 2 s after its last sighting."""
NEAR_S = 0.5


@dataclass(frozen=True)
class Comparison:
    """Counted and true people who left within a span of time."""

    counted: Counter[str]
    """By verdict."""
    true: Counter[str]
    missed: int
    """People that no row can stand for ..."""
    extra: int
    """... and rows that can stand for nobody else; at least so many of each."""

    @property
    def error(self) -> float:
        """Of the totals, 0 to 1."""
        return abs(self.counted.total() / self.true.total() - 1) if self.true else 1.0

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(
            self.counted + other.counted,
            self.true + other.true,
            self.missed + other.missed,
            self.extra + other.extra,
        )

    def show(self, title: str) -> None:
        """Print a small table."""
        print(f"\n{title}: at least {self.missed} people missed, {self.extra} counted too often")
        print(f"{'':10} " + " ".join(f"{verdict:>10}" for verdict in (*VERDICTS, "all")))
        for name, counts in (("counted", self.counted), ("true", self.true)):
            cells = [counts[verdict] for verdict in VERDICTS] + [counts.total()]
            print(f"{name:10} " + " ".join(f"{cell:10}" for cell in cells))


@contextmanager
def demo_system(
    cameras: int,
    fps: float,
    first_seed: int,
    more: dict[str, str] | None = None,
    redis_url: str | None = None,
) -> Iterator[System]:
    """Run everything with demo scenes analysed at `fps`, two workers and two ingest processes.

    `more` settings; `redis_url` is how the measurement reaches a Redis that they name.
    """
    seeds = range(first_seed, first_seed + cameras)
    scenes = {f"seed-{seed}": f"demo:seed={seed}" for seed in seeds}
    environment = {
        "CAMERAS": " ".join(f"{name}={source}" for name, source in scenes.items()),
        "MASKWATCH_WORKERS": "2",
        "MASKWATCH_INGESTS": "2",
        **(more or {}),
    }
    with running_system(environment, redis_url) as system:
        for camera in system.cameras():
            system.call("PATCH", f"/api/v1/cameras/{camera.id}", {"analysis_fps": fps})
        wait_until(lambda: all_fresh(system, time.time() - 1.0), 60, "all cameras", system)
        time.sleep(5)
        yield system


def all_fresh(system: System, captured_after_s: float) -> bool:
    """Whether each camera has an analysed frame captured after that time."""
    try:
        newest = [system.latest(camera) for camera in system.cameras()]
    except Exception as error:  # Redis refuses, loads, times out: not fresh yet
        if "redis" not in type(error).__module__:
            raise
        return False
    return all(frame is not None and frame.captured_at_s > captured_after_s for frame in newest)


def compare(system: System, from_s: float, to_s: float) -> Comparison:
    """Compare those who left between two times; waits until they must have been counted."""
    wait_until(lambda: all_fresh(system, to_s), 60, "all cameras to go on", system)
    time.sleep(max(0.0, to_s + COUNTED_AFTER_S - time.time()))
    parts = [_compare_one(system, camera, from_s, to_s) for camera in system.cameras()]
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def share_analysed(system: System, from_s: float, to_s: float) -> float:
    """Share of the whole minutes between two times that was really analysed, as the API says."""
    first_s, last_s = math.ceil(from_s / 60) * 60, math.floor(to_s / 60) * 60
    if first_s >= last_s:
        return math.nan
    answer = system.call("GET", f"/api/v1/compliance?from={first_s}&to={last_s}&step=60")
    return float(answer["total"]["analysed_share"])


def frame_counts(system: System) -> Counter[str]:
    """Frames captured, published, analysed and dropped by cause, of all cameras together."""
    counts = Counter[str]()
    for camera in system.cameras():
        totals = system.totals(camera)
        counts.update(
            {f: int(n) for f, n in totals.items() if f.startswith(("frames:", "dropped:"))}
        )
    return counts


def books_agree(system: System) -> bool:
    """Whether totals, minutes and rows have the same people, for every camera and verdict."""
    for camera in system.cameras():
        totals = system.totals(camera)
        rows = Counter(row["verdict"] for row in people_rows(system, camera))
        path = f"/api/v1/compliance?camera={camera.id}&from={camera.created_at_s:.0f}"
        minutes = system.call("GET", f"{path}&step=day")["total"]["people"]
        for verdict in VERDICTS:
            if not totals.get(f"people:{verdict}", 0) == minutes[verdict] == rows[verdict]:
                return False
    return True


def people_rows(system: System, camera: Camera) -> list[dict[str, Any]]:
    """Everyone the camera counted (up to the thousand that are kept)."""
    rows: list[dict[str, Any]] = system.call(
        "GET", f"/api/v1/cameras/{camera.id}/people?limit=1000"
    )["people"]
    return rows


def _compare_one(system: System, camera: Camera, from_s: float, to_s: float) -> Comparison:
    rows = [row for row in people_rows(system, camera) if from_s < row["last_seen_s"] <= to_s]
    scene = parse_demo(f"demo:seed={camera.name.removeprefix('seed-')}")
    walkers = walkers_between(scene, from_s, to_s)
    left = [walker for walker in walkers if from_s < walker.leaves_at_s <= to_s]
    # Who left close to the ends may have a row on either side of them: matched, but not counted.
    matched = _matched(rows, walkers_between(scene, from_s - 2, to_s + 2))
    return Comparison(
        counted=Counter(row["verdict"] for row in rows),
        true=Counter(walker.verdict for walker in left),
        missed=max(0, len(left) - matched),
        extra=len(rows) - matched,
    )


def _matched(rows: Sequence[dict[str, Any]], walkers: Sequence[Walker]) -> int:
    """How many rows can stand for somebody, each for another one."""
    if not rows or not walkers:
        return 0
    fits = np.array(
        [
            [
                walker.enters_at_s - NEAR_S <= row["first_seen_s"]
                and row["last_seen_s"] <= walker.leaves_at_s + NEAR_S
                for walker in walkers
            ]
            for row in rows
        ]
    )
    return int((maximum_bipartite_matching(csr_array(fits), perm_type="column") >= 0).sum())
