"""D: how many real RTSP cameras this machine watches before pictures come late.

python -m benchmarks.cameras_per_machine [--counts 4 6 8 10 12 14 16] [--seconds 20] [--fps 5]
                                         [--workers 2] [--film FILE]

A real RTSP server sends the concourse clip (1920x1080, 25 fps, H.264, 6 to 8 faces in view) once
for each camera, in a loop and not re-encoded; five frames a second of each are analysed. A count
holds when the 99th percentile of the age at commit is under a second and at least 95 % of the
frames due were analysed. Counts are tried in order until one does not hold. The server runs on the
same machine; what it uses is said apart. Then where the time goes at the last count that held, or
at the first if none did.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.scenes.films import concourse
from benchmarks.speed import where_time_goes
from benchmarks.speed.ages import AgeWatch
from benchmarks.speed.load import Meter, Span, set_all, wait_for_pictures
from benchmarks.speed.watch import percentiles
from benchmarks.system import machine, print_result, running_system
from tests.servers.rtsp import rtsp_server

SETTLE_S: Final = 6.0
PROFILE_S: Final = 5.0
LATE_S: Final = 1.0
LEAST_SHARE: Final = 0.95
TARGET: Final = 8
LEAST_CORES: Final = 0.005


@dataclass(frozen=True)
class Trial:
    """One number of cameras."""

    cameras: int
    span: Span
    ages_s: tuple[float, float, float]
    """50th, 95th and 99th percentile."""
    share: float
    """Of the frames due, those analysed."""
    server_cores: float
    samples: Mapping[str, Counter[str]]

    @property
    def holds(self) -> bool:
        return self.ages_s[2] < LATE_S and self.share >= LEAST_SHARE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[4, 6, 8, 10, 12, 14, 16])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2, help="one a core is best")
    parser.add_argument("--film", type=Path, help="another H.264 file, such as a substream's")
    options = parser.parse_args()
    film: Path = options.film or concourse()
    print(
        f"{machine()}; {options.workers} workers; {film.name} over RTSP, "
        f"{options.fps:g} frames/s analysed",
        flush=True,
    )
    print("cameras analysed    p50 s  p95 s  p99 s   cores of ours, of the RTSP server")
    best: Trial | None = None
    shown: Trial | None = None
    with serving(film, max(options.counts)) as base_url:
        for count in options.counts:
            trial = attempt(base_url, count, options)
            show(trial)
            if trial.holds or shown is None:
                shown = trial
            if not trial.holds:
                break
            best = trial
    if shown:
        where_time_goes.show(shown.samples, shown.span)
    held = best.cameras if best else 0
    title = f"D1 cameras with p99 age under {LATE_S:g} s (tried: {options.counts})"
    print_result(title, held, "cameras", f">= {TARGET}", held >= TARGET)


@contextmanager
def serving(film: Path, count: int) -> Iterator[str]:
    """An RTSP server with the film under `cam0`, `cam1` and so on."""
    import pytest

    try:
        with rtsp_server({f"cam{number}": film for number in range(count)}) as url:
            yield url
    except pytest.skip.Exception as reason:
        raise SystemExit(str(reason)) from None


def attempt(base_url: str, count: int, options: argparse.Namespace) -> Trial:
    """Watch so many cameras for a while, in a system started anew."""
    fps, seconds = options.fps, options.seconds
    cameras = {
        "CAMERAS": " ".join(f"cam{n}={base_url}/cam{n}" for n in range(count)),
        "MASKWATCH_WORKERS": str(options.workers),
    }
    with running_system(cameras) as system:
        found = system.cameras()
        set_all(system, found, analysis_fps=fps)
        wait_for_pictures(system, found)
        time.sleep(SETTLE_S)
        watch, meter, server_s = AgeWatch(system, found), Meter(system, found), _server_cpu_s()
        watch.start()
        time.sleep(seconds)
        span, server_s = meter.span(), _server_cpu_s() - server_s
        ages_s = percentiles(watch.stop())
        samples = where_time_goes.sample(system, PROFILE_S)
    share = span.frames["analysed"] / (count * fps * span.seconds)
    return Trial(count, span, ages_s, share, server_s / span.seconds, samples)


def _server_cpu_s() -> float:
    """Processor seconds of the RTSP server, a child of this process."""
    used = 0.0
    for process in psutil.Process().children():
        if any("gst_rtsp_server" in part for part in process.cmdline()):
            times = process.cpu_times()
            used += times.user + times.system
    return used


def show(trial: Trial) -> None:
    """Print one line, and what was dropped if anything was."""
    ages = " ".join(f"{age:6.3f}" for age in trial.ages_s)
    cores = sum(trial.span.cpu_s.values()) / trial.span.seconds
    drops = {
        cause: round(n) for cause, n in trial.span.drops.items() if n and cause != "not_sampled"
    }
    print(
        f"{trial.cameras:7} {trial.share:8.1%}   {ages}   {cores:.2f}, {trial.server_cores:.2f}   "
        f"{'' if trial.holds else 'does not hold; '}dropped {drops or 'nothing'}",
        flush=True,
    )
    by_role = {role: used / trial.span.seconds for role, used in trial.span.cpu_s.items()}
    parts = [f"{role} {cores:.2f}" for role, cores in by_role.items() if cores >= LEAST_CORES]
    print(f"        cores: {', '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
