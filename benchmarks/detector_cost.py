"""What a 640x352 frame costs in the face detector's network, against YuNet's in the same run.

python -m benchmarks.detector_cost [--threads 2] [--rounds 60]

ONNX Runtime alone, pixels in and numbers out, as each network takes them; the networks take
turns, so that what else the machine does falls on both. Where others use the machine,
milliseconds of CPU are the steadier figure (all threads together). Needs YuNet's file.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.system import machine, print_result
from face_detector.maskwatch_detector import MaskwatchDetector
from face_detector.yunet import YuNetDetector
from models.files import find_model
from runtime.settings import load_settings

WIDTH, HEIGHT = 640, 352


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    models_dir = load_settings().where_models_are
    print(f"{WIDTH}x{HEIGHT}, {options.threads} threads, {machine()}")
    for batch in (1, 8):
        networks = {
            "maskwatch": runner(find_model("face-detector", models_dir), batch, options.threads),
            "yunet": runner(find_model("yunet", models_dir), batch, options.threads),
        }
        for clock, name in ((time.perf_counter, "ms"), (time.process_time, "CPU ms")):
            times = measure(networks, options.rounds, batch, clock)
            ours, yunet = (float(np.median(times[name])) for name in ("maskwatch", "yunet"))
            least = ", ".join(f"{each} {min(found):.2f}" for each, found in times.items())
            print(f"batch {batch}, {name} a frame: {ours:.2f}, YuNet {yunet:.2f}; least: {least}")
            title = f"N2 {WIDTH}x{HEIGHT} at batch {batch}, {name} a frame"
            target = f"<= {yunet:.2f} (YuNet)"
            print_result(title, round(ours, 2), name, target, ours <= yunet)


def runner(path: Path, batch: int, threads: int) -> Callable[[], object]:
    """A run of a network on a batch of noise."""
    detector = (
        YuNetDetector(path, threads=threads)
        if path.name.startswith("face_detection_yunet")
        else MaskwatchDetector(path, threads=threads)
    )
    pixels = np.random.default_rng(0).integers(0, 256, (batch, 3, HEIGHT, WIDTH), np.uint8)
    return detector.bare_run(pixels)


def measure(
    networks: dict[str, Callable[[], object]],
    rounds: int,
    batch: int,
    clock: Callable[[], float],
) -> dict[str, list[float]]:
    """Milliseconds a frame of every round, network by network."""
    times: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(5):
        for run in networks.values():
            run()
    for _ in range(rounds):
        for name, run in networks.items():
            began = clock()
            run()
            times[name].append((clock() - began) / batch * 1e3)
    return times


if __name__ == "__main__":
    main()
