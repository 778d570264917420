"""Three real RTSP cameras and two files at once (result 2 of "First light").

python -m benchmarks.five_cameras [--minutes 10] [--fps 5]

A real RTSP server serves the clips looped, without re-encoding. Prints per camera the analysed
rate, the age of frames when their analysis was committed, drops by cause; and every process's
memory after warm-up and at the end.
"""

from __future__ import annotations

import argparse
import time

import psutil

from benchmarks.speed.watch import Watch, percentiles
from benchmarks.system import System, clip, machine, print_result, running_system, wait_until
from contract.cameras.camera import Camera
from tests.servers.rtsp import rtsp_server

RTSP_CLIPS = {
    "concourse": "concourse_1080p.mp4",
    "walkers": "walkers_360p.mp4",
    "corridor": "corridor_270p.mp4",
}
FILE_CLIPS = ("one_person_mask.mp4", "one_person_no_mask.mp4")
WARM_UP_S = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=float, default=5.0)
    options = parser.parse_args()
    served = {name: clip(file) for name, file in RTSP_CLIPS.items()}
    with rtsp_server(served) as base_url, running_system() as system:
        cameras = register(system, base_url, options.fps)
        wait_until(
            lambda: all(system.latest(camera) for camera in cameras), 60, "all cameras", system
        )
        time.sleep(WARM_UP_S)
        report(system, cameras, options.minutes, options.fps)


def register(system: System, base_url: str, fps: float) -> list[Camera]:
    """Replace the demo cameras by the five real ones."""
    for camera in system.cameras():
        system.call("DELETE", f"/api/v1/cameras/{camera.id}")
    sources = {name: f"{base_url}/{name}" for name in RTSP_CLIPS}
    sources |= {file.removesuffix(".mp4"): str(clip(file)) for file in FILE_CLIPS}
    for name, source in sources.items():
        body = {"name": name, "source": source, "analysis_fps": fps}
        system.call("POST", "/api/v1/cameras", body)
    return system.cameras()


def report(system: System, cameras: list[Camera], minutes: float, fps: float) -> None:
    """Watch for some minutes and print the figures."""
    memory_before, processor_before = memory_mb(system), processor_s(system)
    before = {camera.id: system.totals(camera) for camera in cameras}
    watch = Watch(system, cameras)
    watch.start()
    started = time.monotonic()
    time.sleep(minutes * 60)
    elapsed_s = time.monotonic() - started
    after = {camera.id: system.totals(camera) for camera in cameras}
    watch.stop()
    memory_after, used_s = memory_mb(system), processor_s(system) - processor_before
    print(f"\n{elapsed_s / 60:.1f} minutes at {fps:g} analysed fps, {machine()}")
    print(f"{'camera':20} {'fps':>6} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7}  drops by cause")
    rates, oldest = [], []
    for camera in cameras:
        changes = {name: n - before[camera.id].get(name, 0) for name, n in after[camera.id].items()}
        rates.append(changes["frames:analysed"] / elapsed_s)
        ages = percentiles(watch.seen[camera.id].ages_s())
        oldest.append(ages[2])
        figures = " ".join(f"{age:7.3f}" for age in ages)
        print(f"{camera.name:20} {rates[-1]:6.2f} {figures}  {drops(changes)}")
    print(f"\n{'process':20} {'start MB':>9} {'end MB':>9} {'growth':>8}")
    for name, end_mb in sorted(memory_after.items()):
        start_mb = memory_before.get(name, end_mb)
        print(f"{name:20} {start_mb:9.1f} {end_mb:9.1f} {end_mb / start_mb - 1:8.1%}")
    print(f"all of Maskwatch used {used_s / elapsed_s:.2f} cores")
    worst_rate = max(abs(rate / fps - 1) for rate in rates)
    worst_p99 = max(oldest)
    growth = sum(memory_after.values()) / sum(memory_before.values()) - 1
    print_result("2 rate", round(worst_rate * 100, 2), "% off", "<= 5", worst_rate <= 0.05)
    print_result("2 age", round(worst_p99, 3), "s p99", "< 1", worst_p99 < 1)
    print_result("2 memory", round(growth * 100, 2), "% growth", "<= 2", growth <= 0.02)


def drops(changes: dict[str, float]) -> dict[str, int]:
    """Frames dropped by cause."""
    return {
        name.removeprefix("dropped:"): round(amount)
        for name, amount in changes.items()
        if name.startswith("dropped:") and amount >= 1
    }


def memory_mb(system: System) -> dict[str, float]:
    """Proportional set size of every process, so that shared pages count once."""
    found = {}
    for role, processes in system.processes().items():
        for number, process in enumerate(sorted(processes, key=lambda p: p.pid)):
            try:
                found[f"{role} {number + 1}"] = process.memory_full_info().pss / 1e6
            except psutil.Error:
                continue
    return found


def processor_s(system: System) -> float:
    """Processor seconds that all processes have used so far."""
    times = [p.cpu_times() for processes in system.processes().values() for p in processes]
    return sum(t.user + t.system for t in times)


if __name__ == "__main__":
    main()
