"""People counted in demo scenes against the ground truth of who walked by.

python -m benchmarks.people_counted [--seeds 10] [--seconds 60] [--fps 5 10]

Renders the demo's scenes and runs the worker's own detector, tracker and votes over them, without
ingest and Redis, faster than real time. People who are in view at the two ends count in both
columns, although the counter sees only a part of their way.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmarks.offline import analyse
from benchmarks.system import machine, print_result
from contract.settings import load_settings
from contract.verdicts import VERDICTS
from ingest.demo.options import DemoOptions, parse_demo
from ingest.demo.scene import Scene
from ingest.demo.walkers import walkers_between
from worker.networks import Networks, load_networks

BEGIN_S = 1_790_000_000.0
"""A fixed moment, so that a seed is the same scene in every run."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fps", type=float, nargs="+", default=[5.0, 10.0])
    options = parser.parse_args()
    networks = load_networks(load_settings())
    print(f"{options.seeds} seeds of {options.seconds:g} s, {machine()}")
    for fps in options.fps:
        measure(networks, options.seeds, options.seconds, fps)


def measure(networks: Networks, seeds: int, seconds: float, fps: float) -> None:
    """Print counted against true people by verdict, and the errors."""
    counted, true, worst = Counter[str](), Counter[str](), 0.0
    for seed in range(1, seeds + 1):
        scene = parse_demo(f"demo:seed={seed}")
        seen = analyse(networks, frames(scene, seconds, fps))
        found = Counter(person.verdict for person in seen.people)
        there = Counter(w.verdict for w in walkers_between(scene, BEGIN_S, BEGIN_S + seconds))
        worst = max(worst, abs(found.total() / there.total() - 1))
        counted, true = counted + Counter[str](found), true + Counter[str](there)
    print(f"\n{fps:g} frames a second")
    print(f"{'':10} " + " ".join(f"{verdict:>10}" for verdict in (*VERDICTS, "all")))
    for title, counts in (("counted", counted), ("true", true)):
        cells = [counts[verdict] for verdict in VERDICTS] + [counts.total()]
        print(f"{title:10} " + " ".join(f"{cell:10}" for cell in cells))
    error = abs(counted.total() / true.total() - 1)
    print_result(f"people at {fps:g} fps", round(error * 100, 1), "% error", "<= 3", error <= 0.03)
    print_result(f"worst seed at {fps:g} fps", round(worst * 100, 1), "%", "<= 8", worst <= 0.08)


def frames(
    scene: DemoOptions, seconds: float, fps: float
) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """Yield times and frames of a scene."""
    stage = Scene(scene)
    for number in range(int(seconds * fps)):
        time_s = BEGIN_S + number / fps
        yield time_s, stage.render(time_s)


if __name__ == "__main__":
    main()
