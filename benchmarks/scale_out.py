"""E: several workers sharing many cameras, inference replaced by a device of fixed speed.

python -m benchmarks.scale_out [--workers 1 2 4 8] [--cameras 8 32 128 256] [--seconds 8]
                               [--frame-ms 40]

Workers as they ship, with networks that only wait (`benchmarks.speed.fixed_speed`: 40 ms a frame
and 1 ms a classified face, one thing at a time, so at most 25 frames/s each), and small frames
published by one process for all cameras, more than the workers can do. For every number of
cameras, workers join one after the other; then one is killed. What is measured is reading, sharing
and committing:

- frames analysed a second, against one worker; how evenly cameras and frames are spread;
- from a new worker's first beat until every camera is where it belongs, and from a kill until
  every camera has a living owner;
- Redis' commands (those inside scripts counted, too), bytes and processor time a frame;
- whether two workers ever took the same camera for their own at the same time, by their own word
  (machine's monotonic clock, looked at 50 times a second), and commits that Redis refused.

From these, on paper, what 1,000 cameras need.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import psutil
from redis import Redis

from benchmarks.speed.fixed_speed import BELIEFS
from benchmarks.system import ROOT, machine, print_result, wait_until
from bus.connection.client import connect
from bus.keys import CAMERAS, CameraKeys
from bus.members.members import Membership
from bus.server.embedded import EmbeddedRedis
from contract.people.totals import REFUSALS, decode_totals, frames_field, refused_field
from runtime.settings import load_settings
from runtime.stopping import die_with_parent

OFFERED: Final = 1.3
"""Times what the workers can do."""
SETTLE_S: Final = 2.5
SCALING_TARGET: Final = 3.6
REBALANCE_TARGET_S: Final = 3.0
FRAME_KB: Final = 10.0
MAX_BATCH: Final = 8
COPIES_GB_S: Final = 1.0
"""What a core moves through a socket, about: for frames larger than those measured."""


@dataclass(frozen=True)
class Cell:
    """So many workers with so many cameras."""

    workers: int
    cameras: int
    fps: float
    most_cameras: float
    """Of the worker with most, over the mean."""
    commands: float
    bytes_in: float
    bytes_out: float
    redis_ms: float
    worker_ms: float
    """All an analysed frame."""
    published: float
    """Frames published for each that was analysed."""


@dataclass(frozen=True)
class Moves:
    """Seconds until all was shared anew, and who owned what twice."""

    join_s: Sequence[float]
    death_s: float
    owned_twice: int
    refused: int


class Farm:
    """A Redis, a feed, and a growing number of workers."""

    def __init__(self, folder: Path, cameras: int, frame_ms: float) -> None:
        self.folder = folder
        self._server = EmbeddedRedis(folder / "redis")
        self._cameras = cameras
        self._frame_ms = frame_ms
        self._feed: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []
        self._log = folder / "log"

    def start(self) -> None:
        self._server.start()
        self.redis: Redis = connect(self._server.url, "benchmark")
        self.members = Membership(self.redis, "worker", load_settings().lease_s)

    def stop(self) -> None:
        for process in (*self.workers, *([self._feed] if self._feed else [])):
            process.kill()
            process.wait()
        self._server.stop()

    def expect(self, cameras: int) -> None:
        """There are so many cameras, also if fewer send."""
        self._cameras = cameras

    @property
    def redis_url(self) -> str:
        return self._server.url

    @property
    def server_pid(self) -> int:
        return self._server.pid

    def feed(self, fps: float) -> None:
        """Publish so many frames a second from now on."""
        if self._feed:
            self._feed.kill()
            self._feed.wait()
        arguments = ["--cameras", self._cameras, "--fps", fps, "--kilobytes", FRAME_KB]
        self._feed = self._start("benchmarks.speed.frame_feed", *arguments)
        wait_until(lambda: len(self.cameras()) == self._cameras, 60, "the cameras")

    def add_worker(self) -> float:
        """Start one more; return the seconds from its first beat until all is shared."""
        before = len(self.members.live())
        self.start_worker()
        wait_until(lambda: len(self.members.live()) > before, 60, "a worker's first beat")
        return wait_until(self.shared, 60, "the cameras to be shared")

    def start_worker(self) -> None:
        """Start one more; it needs seconds until its first beat."""
        self.workers.append(
            self._start("benchmarks.speed.fixed_speed", "--frame-ms", self._frame_ms)
        )

    def kill_worker(self) -> float:
        """Kill the newest; return the seconds until every camera has a living owner again."""
        victim = self.workers.pop()
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        return wait_until(self.shared, 60, "the cameras to be shared")

    def shared(self) -> bool:
        """Whether every camera is owned, by living workers alone, as evenly as can be."""
        owners = self.owners()
        pids = {f"worker-{worker.pid}" for worker in self.workers}
        room = -(-self._cameras // len(pids))
        return (
            sum(owners.values()) == self._cameras
            and owners.keys() <= pids
            and max(owners.values()) <= room
        )

    def owners(self) -> Counter[str]:
        """Cameras by the owner that Redis knows."""
        found: Any = self.redis.mget([CameraKeys(one).worker_lease for one in self.cameras()])
        return Counter(value.decode().rpartition(":")[0] for value in found if value)

    def cameras(self) -> list[str]:
        """Ids of all cameras."""
        raw: Any = self.redis.hkeys(CAMERAS)
        return [one.decode() for one in raw]

    def count(self, field: str) -> float:
        """A total, of all cameras."""
        total = 0.0
        with self.redis.pipeline(transaction=False) as pipeline:
            for one in self.cameras():
                pipeline.hgetall(CameraKeys(one).totals)
            for raw in pipeline.execute():
                total += decode_totals(raw).get(field, 0.0)
        return total

    def _start(self, module: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", module, self._server.url, *map(str, arguments)]
        environment = {**os.environ, "MASKWATCH_MAX_BATCH": str(MAX_BATCH)}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--cameras", type=int, nargs="+", default=[8, 32, 128, 256])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--frame-ms", type=float, default=40.0)
    options = parser.parse_args()
    print(f"{machine()}; {options.frame_ms:g} ms a frame", flush=True)
    print(
        "cameras workers frames/s of ideal  most/mean  commands  kB in  kB out  "
        "Redis ms  worker ms (a frame)"
    )
    cells: list[Cell] = []
    moves: dict[int, Moves] = {}
    for cameras in options.cameras:
        with farm(cameras, options.frame_ms) as running:
            found, moves[cameras] = grow(running, cameras, options)
            cells += found
    report_scaling(cells)
    report_moves(moves)
    on_paper(cells)


@contextmanager
def farm(cameras: int, frame_ms: float) -> Iterator[Farm]:
    """A farm that is stopped in the end."""
    with tempfile.TemporaryDirectory(prefix="farm-", ignore_cleanup_errors=True) as folder:
        running = Farm(Path(folder), cameras, frame_ms)
        running.start()
        try:
            yield running
        finally:
            running.stop()


def grow(running: Farm, cameras: int, options: argparse.Namespace) -> tuple[list[Cell], Moves]:
    """Let workers join one after the other, measuring at each wanted number; then kill one."""
    cells, join_s = [], []
    for workers in sorted(options.workers):
        running.feed(OFFERED * workers * 1000 / options.frame_ms)
        while len(running.workers) < workers:
            seconds = running.add_worker()
            if len(running.workers) > 1:
                join_s.append(seconds)
        time.sleep(SETTLE_S)
        cells.append(measure(running, cameras, options.seconds))
        show(cells[-1], options.frame_ms)
    death_s = running.kill_worker() if len(running.workers) > 1 else 0.0
    time.sleep(1.0)
    refused = sum(running.count(refused_field(reason)) for reason in REFUSALS)
    return cells, Moves(join_s, death_s, owned_twice(running.redis), round(refused))


def measure(running: Farm, cameras: int, seconds: float) -> Cell:
    """Watch a steady farm for a while."""
    server = psutil.Process(running.server_pid)
    workers = [psutil.Process(worker.pid) for worker in running.workers]
    analysed, published = frames_field("analysed"), frames_field("published")
    info, count = _server_counts(running.redis), running.count(analysed)
    sent = running.count(published)
    used = [_cpu_s([server]), _cpu_s(workers)]
    began_s = time.monotonic()
    time.sleep(seconds)
    elapsed_s = time.monotonic() - began_s
    now = _server_counts(running.redis)
    frames = max(1.0, running.count(analysed) - count)
    used = [_cpu_s([server]) - used[0], _cpu_s(workers) - used[1]]
    owners = running.owners()
    commands, bytes_in, bytes_out = (now[key] - info[key] for key in sorted(now))
    return Cell(
        workers=len(workers),
        cameras=cameras,
        fps=frames / elapsed_s,
        most_cameras=max(owners.values()) * len(workers) / cameras,
        commands=commands / frames,
        bytes_in=bytes_in / frames,
        bytes_out=bytes_out / frames,
        redis_ms=used[0] * 1000 / frames,
        worker_ms=used[1] * 1000 / frames,
        published=(running.count(published) - sent) / frames,
    )


def _server_counts(redis: Redis) -> dict[str, float]:
    """In alphabetical order: commands, bytes received, bytes sent."""
    stats: Any = redis.info("stats")
    return {
        "1 commands": float(stats["total_commands_processed"]),
        "2 in": float(stats["total_net_input_bytes"]),
        "3 out": float(stats["total_net_output_bytes"]),
    }


def _cpu_s(processes: Sequence[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


def owned_twice(redis: Redis) -> int:
    """Cameras that two workers took for their own at one moment, by their own word."""
    raw: Any = redis.hgetall(BELIEFS)
    spans: dict[str, list[tuple[float, float]]] = {}
    for record in raw.values():
        for name, (first_s, last_s) in json.loads(record).items():
            spans.setdefault(name.partition(":")[0], []).append((first_s, last_s))
    return sum(
        any(later[0] < earlier[1] for earlier, later in pairwise(found))
        for found in map(sorted, spans.values())
    )


def show(cell: Cell, frame_ms: float) -> None:
    """Print one line."""
    ideal = cell.fps / (cell.workers * 1000 / frame_ms)
    print(
        f"{cell.cameras:7} {cell.workers:7} {cell.fps:8.1f} {ideal:8.0%} {cell.most_cameras:10.2f} "
        f"{cell.commands:9.1f} {cell.bytes_in / 1000:6.1f} {cell.bytes_out / 1000:7.1f} "
        f"{cell.redis_ms:9.2f} {cell.worker_ms:10.2f}",
        flush=True,
    )


def report_scaling(cells: Sequence[Cell]) -> None:
    """Print frames/s of four workers over one, for every number of cameras that has both."""
    by_size = {(cell.cameras, cell.workers): cell for cell in cells}
    for cameras in sorted({cell.cameras for cell in cells}):
        one, four = by_size.get((cameras, 1)), by_size.get((cameras, 4))
        if one and four:
            ratio = four.fps / one.fps
            title = f"E1 frames/s of 4 workers over 1, {cameras} cameras"
            met = ratio >= SCALING_TARGET
            print_result(title, round(ratio, 2), "times", f">= {SCALING_TARGET:g}", met)


def report_moves(moves: Mapping[int, Moves]) -> None:
    """Print how long sharing anew took, and whether a camera was owned twice."""
    target = f"<= {REBALANCE_TARGET_S:g}"
    for cameras, found in moves.items():
        if found.join_s:
            worst_s = max(found.join_s)
            title = f"E2 rebalanced after a worker joins, {cameras} cameras"
            print_result(title, round(worst_s, 2), "s", target, worst_s <= REBALANCE_TARGET_S)
        if found.death_s:
            title = f"E3 rebalanced after a worker is killed, {cameras} cameras"
            met = found.death_s <= REBALANCE_TARGET_S
            print_result(title, round(found.death_s, 2), "s", target, met)
    twice = sum(found.owned_twice for found in moves.values())
    print_result("E4 cameras owned by two workers at a time", twice, "cameras", "0", twice == 0)
    refused = sum(found.refused for found in moves.values())
    print_result("E5 commits refused while cameras moved", refused, "commits", "none", True)


def on_paper(cells: Sequence[Cell]) -> None:
    """Print what 1,000 cameras need, from the largest farm that was measured."""
    cell = max(cells, key=lambda one: (one.cameras, one.workers))
    print(
        f"\nOn paper, 1,000 cameras at 5 frames/s, from {cell.cameras} cameras and "
        f"{cell.workers} workers:"
    )
    frames, beside_kb = 5000.0, FRAME_KB * cell.published
    for name, kilobytes in (("1080p, 240 kB a frame", 240.0), ("640x360, 30 kB", 30.0)):
        in_mb = frames * (cell.bytes_in / 1000 - beside_kb + kilobytes) / 1000
        out_mb = frames * (cell.bytes_out / 1000 - beside_kb + kilobytes) / 1000
        copied_ms = (kilobytes - FRAME_KB) * 2 / 1e6 * 1000 / COPIES_GB_S
        cores = frames * (cell.redis_ms + copied_ms) / 1000
        print(
            f"  {name}: Redis takes in {in_mb:,.0f} MB/s and sends {out_mb:,.0f} MB/s, "
            f"{in_mb * 8 / 1000:.1f} and {out_mb * 8 / 1000:.1f} Gbit/s; {cores:.1f} cores of "
            f"Redis, so {-(-cores // 0.6):.0f} nodes at 60 % each"
        )
    print(
        f"  {frames * cell.commands:,.0f} commands/s; a worker's own overhead is "
        f"{cell.worker_ms:.1f} ms of processor a frame, {frames * cell.worker_ms / 1000:.0f} cores "
        "in all; beside it networks and 1080p JPEGs, whose cost benchmarks.against_limit measures"
    )


if __name__ == "__main__":
    main()
