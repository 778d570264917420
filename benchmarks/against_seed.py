"""A: the whole distributed path against the loop it grew out of, on the same films, in turn.

python -m benchmarks.against_seed [--seconds 8] [--repetitions 3] [--cameras 4] [--workers 2]

Ours: the running system, file to ingest to Redis to worker to commit, everything `maskwatch run`
starts counted, each camera a film that plays as fast as the workers follow
(`MASKWATCH_FILE_SPEED=0`), every frame analysed. The seed's: `benchmarks.speed.seed_loop`, at the
threshold it ships with (0.9) and at its own default (0.5). They take turns, ours switched off
meanwhile; medians of the repetitions, with least and most. A face counts as analysed where it was
found and left the loop with a verdict: the seed classifies each of them, Maskwatch those that its
tracks need, and says how many those were.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.scenes.films import CLIP, real_concourse, write_demo_film
from benchmarks.speed.load import Meter, Span, film_cameras, set_all, spread, wait_for_pictures
from benchmarks.speed.seed_loop import OWN_THRESHOLD, SHIPPED_THRESHOLD, SeedLoop, SeedRun
from benchmarks.system import System, machine, print_result, running_system, wait_until
from contract.cameras.camera import Camera

DEMO: Final = "demo:seed=3&people=6&width=1280"
FASTEST_FPS: Final = 60
SETTLE_S: Final = 2.0
FRAMES_TARGET: Final = 3.0
FACES_TARGET: Final = 40.0


@dataclass
class Runs:
    """The repetitions on one film."""

    ours: list[Span] = field(default_factory=list)
    seed: dict[float, list[SeedRun]] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each repetition")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--cameras", type=int, default=4, help="that play the film at once")
    parser.add_argument("--workers", type=int, default=2, help="one a core is best")
    options = parser.parse_args()
    print(f"{machine()}; {options.cameras} cameras, {options.workers} workers", flush=True)
    seed = SeedLoop()
    with tempfile.TemporaryDirectory(prefix="films-") as folder:
        films = {"demo scene": write_demo_film(DEMO, Path(folder) / "demo.mp4", seconds=8)}
        if clip := real_concourse():
            films = {"concourse": clip, **films}
        else:
            print(f"{CLIP} is not in ../shared/video: the rendered scene alone")
        for name, film in films.items():
            runs = compare(seed, film, options)
            show(name, runs)
            report(name, runs)


def compare(seed: SeedLoop, film: Path, options: argparse.Namespace) -> Runs:
    """Let both analyse a film in turn."""
    names = {f"film{number}": film for number in range(options.cameras)}
    environment = {
        **film_cameras(names),
        "MASKWATCH_FILE_SPEED": "0",
        "MASKWATCH_WORKERS": str(options.workers),
    }
    runs = Runs(seed={SHIPPED_THRESHOLD: [], OWN_THRESHOLD: []})
    with running_system(environment) as system:
        cameras = system.cameras()
        set_all(system, cameras, analysis_fps=FASTEST_FPS, enabled=False)
        for _ in range(options.repetitions):
            runs.ours.append(one_span(system, cameras, options.seconds))
            for threshold, found in runs.seed.items():
                found.append(seed.run(film, options.seconds, threshold))
    return runs


def one_span(system: System, cameras: Sequence[Camera], seconds: float) -> Span:
    """Switch the cameras on, measure, and switch them off again."""
    set_all(system, cameras, enabled=True)
    wait_for_pictures(system, cameras)
    time.sleep(SETTLE_S)
    meter = Meter(system, cameras)
    time.sleep(seconds)
    span = meter.span()
    set_all(system, cameras, enabled=False)
    wait_until(lambda: not reading(system), 30, "the readers to end", system)
    return span


def reading(system: System) -> bool:
    """Whether any camera's reader runs."""
    return any(
        process.name().startswith("cam")
        for processes in system.processes().values()
        for process in processes
    )


def show(name: str, runs: Runs) -> None:
    """Print both beside each other."""
    print(f"\n{name}: median (least to most)")
    print(f"{'':22} {'frames/s':>22} {'faces/s':>22} {'CPU ms a frame':>22} {'CPU ms a face':>22}")
    rows = {"Maskwatch": [_of_ours(span) for span in runs.ours]}
    for threshold, found in runs.seed.items():
        rows[f"the seed's loop, {threshold}"] = [_of_seed(run) for run in found]
    for title, measured in rows.items():
        cells = " ".join(f"{spread(column):>22}" for column in zip(*measured, strict=True))
        print(f"{title:22} {cells}")
    ours = runs.ours[-1]
    print(
        f"Maskwatch classified {ours.classified / max(1, ours.faces):.0%} of the faces; dropped "
        f"{ {cause: n for cause, n in ours.drops.items() if n} or 'nothing' }; CPU ms a frame: "
        + ", ".join(f"{role} {ours.cpu_ms([role]):.1f}" for role in sorted(ours.cpu_s)),
        flush=True,
    )


def _of_ours(span: Span) -> tuple[float, float, float, float]:
    used_ms = sum(span.cpu_s.values()) * 1000
    return (
        span.fps,
        span.faces / span.seconds,
        span.cpu_ms(),
        used_ms / max(1.0, span.faces),
    )


def _of_seed(run: SeedRun) -> tuple[float, float, float, float]:
    used_ms = run.cpu_s * 1000
    return run.fps, run.faces_per_s, used_ms / run.frames, used_ms / max(1, run.faces)


def report(name: str, runs: Runs) -> None:
    """Print the ratios of medians."""
    frames = statistics.median(span.fps for span in runs.ours)
    faces = statistics.median(span.faces / span.seconds for span in runs.ours)
    for threshold, found in runs.seed.items():
        frame_ratio = frames / statistics.median(run.fps for run in found)
        seed_faces = statistics.median(run.faces_per_s for run in found)
        at, asked = f"the seed's at {threshold}, {name}", threshold == OWN_THRESHOLD
        target = f">= {FRAMES_TARGET:g}" if asked else "none"
        met = not asked or frame_ratio >= FRAMES_TARGET
        print_result(f"A1 frames/s over {at}", round(frame_ratio, 2), "times", target, met)
        if not seed_faces:
            print_result(f"A2 faces/s; {at}: none found", round(faces, 1), "faces/s", "none", True)
            continue
        ratio, asked = faces / seed_faces, asked and name == "concourse"
        target = f">= {FACES_TARGET:g}" if asked else "none"
        met = not asked or ratio >= FACES_TARGET
        print_result(f"A2 faces/s over {at}", round(ratio, 1), "times", target, met)


if __name__ == "__main__":
    main()
