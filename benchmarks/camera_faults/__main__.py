"""Every camera fault at a real server, and what it does to the cameras beside it (F1).

python -m benchmarks.camera_faults [--only WORD] [--at-once 17]

An ingest process with the settings that ship reads cameras that misbehave on purpose, and four
neighbours that do not, served by a process of their own (three of RTSP, 640x360, and one of MJPEG,
25 frames a second each). Faults begin and end while the cameras are being read, several cameras'
at a time. Of each: seconds from its beginning until a fitting typed state is in Redis; from its end
until the camera is live and three frames taken since are published; the longest pause between
published frames while it lasted; the reader's processor use meanwhile. Of the neighbours: captured
frames a second from the beginning of the faults until all cameras have recovered, against 25.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from redis import Redis

from benchmarks.camera_faults.cases import Case, all_cases
from benchmarks.camera_faults.neighbours import served_neighbours
from benchmarks.system import machine, print_result, wait_until
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from contract.cameras.camera import Camera, make_camera
from contract.cameras.status import CameraStatus
from contract.people.totals import fault_field
from contract.pictures.frames import FrameMessage
from tests.secret_key import cameras_of, key_file
from tests.servers.faulty_camera import FaultyCamera
from tests.servers.films import FPS
from tests.servers.ingest_process import IngestProcess, published, status, totals

RECOVERY_S: Final = 10.0
GIVE_UP_S: Final = 40.0
LOOK_S: Final = 0.05
FRESH_FRAMES: Final = 3
NEIGHBOURS_OFF: Final = 0.05
WARM_UP_S: Final = 5.0
SHIPPED: Final = {
    "MASKWATCH_LOG_LEVEL": "ERROR",
    "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
}


@dataclass
class Trial:
    """A camera, its fault, and what was seen of both."""

    case: Case
    server: FaultyCamera
    camera: Camera
    began_s: float = 0.0
    ended_s: float = 0.0
    typed_s: float | None = None
    kind: str = ""
    words: str = ""
    recovered_s: float | None = None
    kinds: list[str] = field(default_factory=list)
    gap_s: float = 0.0
    processor: float = 0.0
    counted: bool = False
    _published: float = -1.0
    _grew_s: float = 0.0
    _fresh: set[int] = field(default_factory=set)
    _used_s: float | None = None

    @property
    def met(self) -> bool:
        recovered = self.recovered_s is not None and self.recovered_s <= RECOVERY_S
        went_on = not self.case.goes_on or self.gap_s <= RECOVERY_S
        return self.typed_s is not None and recovered and went_on and self.counted

    def begin(self, processor_s: float) -> None:
        self.server.begin(self.case.fault(self.server))
        self.began_s = self._grew_s = time.time()
        self._used_s = processor_s

    def look(self, redis: Redis, now: CameraStatus, processor_s: float) -> bool:
        """Note how things are; True when all is over."""
        at_s = time.time()
        kind = now.fault
        if kind and (not self.kinds or self.kinds[-1] != kind):
            self.kinds.append(kind)
        if self.typed_s is None and kind in self.case.kinds:
            self.typed_s, self.kind = at_s - self.began_s, kind
            self.words = now.error or now.notice
        if not self.ended_s:
            self._note_gap(published(redis, self.camera), at_s)
            if at_s - self.began_s < self.case.lasts_s:
                return False
            used_s = processor_s - (self._used_s or 0.0)
            self.processor = used_s / (at_s - self.began_s)
            self.server.end()
            self.ended_s = time.time()
        elif self.recovered_s is None and now.state == "live":
            self._look_for_fresh(redis, at_s)
        return self.recovered_s is not None or at_s - self.ended_s > GIVE_UP_S

    def _note_gap(self, frames: float, at_s: float) -> None:
        if frames != self._published:
            self._published, self._grew_s = frames, at_s
        self.gap_s = max(self.gap_s, at_s - self._grew_s)

    def _look_for_fresh(self, redis: Redis, at_s: float) -> None:
        entries: Any = redis.xrevrange(CameraKeys(self.camera.id).frames, count=FRESH_FRAMES)
        for entry in entries:
            frame = FrameMessage.decode(self.camera.id, *entry)
            if frame.captured_at_s > self.ended_s:
                self._fresh.add(frame.sequence)
        if len(self._fresh) >= FRESH_FRAMES:
            self.recovered_s = at_s - self.ended_s


class Bystander:
    """A camera beside the faulty ones, and when how many of its frames were captured."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.seen: list[tuple[float, float]] = []

    def look(self, redis: Redis) -> None:
        captured = totals(redis, self.camera).get("frames:captured", 0.0)
        if not self.seen or captured != self.seen[-1][1]:
            self.seen.append((time.monotonic(), captured))

    def fps(self) -> float:
        """Captured frames a second between the first and the last count."""
        (began_s, first), (ended_s, last) = self.seen[0], self.seen[-1]
        return (last - first) / (ended_s - began_s)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only faults with this in their name")
    parser.add_argument("--at-once", type=int, default=17)
    options = parser.parse_args()
    cases = [one for one in all_cases() if options.only in one.name]
    cases.sort(key=lambda one: one.lasts_s)  # those of a minute go together
    print(f"{len(cases)} faults, {machine()}", flush=True)
    print("| fault | said | s until typed | s until recovered | longest pause s | CPU | met |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    trials: list[Trial] = []
    off: list[float] = []
    with running_ingest() as (redis, ingest), neighbours(redis) as bystanders:
        for at in range(0, len(cases), options.at_once):
            batch = cases[at : at + options.at_once]
            trials += run_batch(redis, ingest, batch, bystanders)
            off += [abs(one.fps() / FPS - 1) for one in bystanders]
            rates = ", ".join(f"{one.fps():.2f}" for one in bystanders)
            print(f"| *neighbours: {rates} frames a second* | | | | | | |", flush=True)
    report(trials, off)


@contextmanager
def running_ingest() -> Iterator[tuple[Redis, IngestProcess]]:
    """An ingest process with the settings that ship, over a Redis of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = EmbeddedRedis(Path(folder))
        server.start()
        ingest = IngestProcess(server.url, settings=SHIPPED)
        try:
            yield connect(server.url, "benchmark"), ingest
        finally:
            ingest.end()
            server.stop()


@contextmanager
def neighbours(redis: Redis) -> Iterator[list[Bystander]]:
    """Cameras that are well, served by a process that does nothing else."""
    with served_neighbours() as urls:
        cameras = [_add(redis, f"neighbour {n}", url) for n, url in enumerate(urls)]
        for camera in cameras:
            _wait_for_frames(redis, camera)
        yield [Bystander(camera) for camera in cameras]


def run_batch(
    redis: Redis, ingest: IngestProcess, cases: Sequence[Case], bystanders: list[Bystander]
) -> list[Trial]:
    """Let some cameras go wrong at once, and wait until all are well again."""
    with ExitStack() as stack:
        trials = []
        for case in cases:
            server = stack.enter_context(case.camera())
            trials.append(Trial(case, server, _add(redis, case.name, server.url)))
        for trial in trials:
            _wait_for_frames(redis, trial.camera)
        time.sleep(WARM_UP_S)
        for bystander in bystanders:
            bystander.seen.clear()
        readers = {trial.camera.id: _Processor(ingest, trial.camera) for trial in trials}
        for trial in trials:
            trial.begin(readers[trial.camera.id].used_s())
        going = list(trials)
        while going:
            for bystander in bystanders:
                bystander.look(redis)
            going = [
                trial
                for trial in going
                if not trial.look(
                    redis, status(redis, trial.camera), readers[trial.camera.id].used_s()
                )
            ]
            time.sleep(LOOK_S)
        for trial in trials:
            # What `maskwatch_camera_faults_total` is read from.
            trial.counted = totals(redis, trial.camera).get(fault_field(trial.kind), 0.0) > 0
            CameraRegistry(redis).remove(trial.camera.id)
            print(_row(trial), flush=True)
    return trials


class _Processor:
    """Processor seconds of a camera's reader."""

    def __init__(self, ingest: IngestProcess, camera: Camera) -> None:
        pid = ingest.reader(camera)
        self._process = psutil.Process(pid) if pid else None
        self._last_s = 0.0

    def used_s(self) -> float:
        try:
            if self._process:
                times = self._process.cpu_times()
                self._last_s = times.user + times.system
        except psutil.Error:
            pass
        return self._last_s


def report(trials: list[Trial], off: list[float]) -> None:
    """Print what was said, and the results."""
    print("\nIn words:")
    said = {(trial.kind, trial.words.partition("/live")[2]): trial.words for trial in trials}
    for (kind, _), words in sorted(said.items()):
        print(f"- `{kind}`: {words}")
    typed = sum(trial.typed_s is not None for trial in trials)
    counted = sum(trial.counted for trial in trials)
    recoveries = [trial.recovered_s or GIVE_UP_S for trial in trials]
    pauses = [trial.gap_s for trial in trials if trial.case.goes_on]
    count = len(trials)
    print_result("F1 typed", typed, "faults", f"{count}", typed == count)
    print_result("F1 metric", counted, "faults", f"{count}", counted == count)
    worst_s, off_worst = max(recoveries), max(off)
    print_result("F1 recovery", round(worst_s, 1), "s, worst", "<= 10", worst_s <= RECOVERY_S)
    if pauses:
        print_result(
            "F1 pause", round(max(pauses), 1), "s, worst", "<= 10", max(pauses) <= RECOVERY_S
        )
    near = off_worst <= NEIGHBOURS_OFF
    print_result("F1 neighbours", round(100 * off_worst, 2), "% off, worst", "<= 5", near)
    met = sum(trial.met for trial in trials)
    print_result("F1", met, "faults met", f"{count}, neighbours <= 5 % off", met == count and near)


def _row(trial: Trial) -> str:
    cells = (
        trial.case.name,
        " → ".join(dict.fromkeys(trial.kinds)) or "nothing",
        "never" if trial.typed_s is None else f"{trial.typed_s:.1f}",
        "never" if trial.recovered_s is None else f"{trial.recovered_s:.1f}",
        f"{trial.gap_s:.1f}",
        f"{trial.processor:.0%}",
        "yes" if trial.met else "**no**",
    )
    return f"| {' | '.join(cells)} |"


def _add(redis: Redis, name: str, url: str) -> Camera:
    return cameras_of(redis).add(make_camera(name=name, source=url))


def _wait_for_frames(redis: Redis, camera: Camera) -> None:
    wait_until(lambda: published(redis, camera) > 5, 60, f"frames of {camera.name}")


if __name__ == "__main__":
    main()
