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

from benchmarks.system import System, clip, machine, print_result, running_system, wait_until
from benchmarks.watch import Watch, Watched, percentiles
from contract.cameras import Camera
from tests.servers.rtsp import rtsp_server

RTSP_CLIPS = {
    "concourse": "concourse_1080p.mp4",
    "walkers": "walkers_360p.mp4",
    "corridor": "corridor_270p.mp4",
}
FILE_CLIPS = ("one_person_mask.mp4", "one_person_no_mask.mp4")
WARM_UP_S = 30.0


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
    before, drops_before = memory_mb(system), {c.id: system.totals(c) for c in cameras}
    processor_before = processor_s(system)
    watch = Watch(system, cameras)
    watch.start()
    started = time.monotonic()
    time.sleep(minutes * 60)
    elapsed_s = time.monotonic() - started
    watch.stop()
    after, cores = memory_mb(system), (processor_s(system) - processor_before) / elapsed_s
    print(f"\n{elapsed_s / 60:.1f} minutes at {fps:g} analysed fps, {machine()}")
    print(f"{'camera':20} {'fps':>6} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7}  drops by cause")
    for camera in cameras:
        print(line(camera, watch.seen[camera.id], system.totals(camera), drops_before[camera.id]))
    print(f"\n{'process':20} {'start MB':>9} {'end MB':>9} {'growth':>8}")
    for name in sorted(after):
        growth = after[name] / before.get(name, after[name]) - 1
        print(f"{name:20} {before.get(name, 0):9.1f} {after[name]:9.1f} {growth:8.1%}")
    print(f"all of Maskwatch used {cores:.2f} cores")
    worst_rate = max(abs(watch.seen[c.id].rate() / fps - 1) for c in cameras)
    worst_p99 = max(percentiles(watch.seen[c.id].ages_s())[2] for c in cameras)
    growth = sum(after.values()) / sum(before.values()) - 1
    print_result("2 rate", round(worst_rate * 100, 2), "% off", "<= 5", worst_rate <= 0.05)
    print_result("2 age", round(worst_p99, 3), "s p99", "< 1", worst_p99 < 1)
    print_result("2 memory", round(growth * 100, 2), "% growth", "<= 2", growth <= 0.02)


def line(camera: Camera, seen: Watched, totals: dict[str, float], before: dict[str, float]) -> str:
    p50, p95, p99 = percentiles(seen.ages_s())
    drops = {
        field.removeprefix("dropped:"): round(amount - before.get(field, 0))
        for field, amount in totals.items()
        if field.startswith("dropped:") and amount - before.get(field, 0) >= 1
    }
    return f"{camera.name:20} {seen.rate():6.2f} {p50:7.3f} {p95:7.3f} {p99:7.3f}  {drops}"


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
