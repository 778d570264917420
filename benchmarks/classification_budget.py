"""Classifications per face in view with and without the budget, on the same scenes (result C5).

python -m benchmarks.classification_budget [--seeds 10] [--seconds 60] [--fps 5 10]

Both runs see the same frames of the demo through the worker's own analyser. Without the budget
every face is classified in every frame. Accurate is a person whose verdict is that of the walker
whom their track shows, matched by time and place; the two runs have the same tracks.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from typing import Final

import numpy as np

from benchmarks.people_counted import WALKING, frames
from benchmarks.scenes.offline import Analysed, analyse
from benchmarks.system import machine, print_result
from contract.people.totals import batch_field
from contract.people.verdicts import Verdict
from ingest.demo.options import DemoOptions, parse_demo
from ingest.demo.walkers import faces_at, walkers_between
from runtime.settings import load_settings
from worker.analysis import DEFAULT_BUDGET
from worker.budget import Budget
from worker.networks import CLASSIFIER, Networks, load_networks

EVERY_FACE: Final = Budget(None)
LEAST_IOU: Final = 0.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fps", type=float, nargs="+", default=[5.0, 10.0])
    options = parser.parse_args()
    networks = load_networks(load_settings())
    scenes = [parse_demo(WALKING.format(seed)) for seed in range(1, options.seeds + 1)]
    print(f"{options.seeds} seeds of {options.seconds:g} s, {machine()}")
    for fps in options.fps:
        measure(networks, scenes, options.seconds, fps)


def measure(networks: Networks, scenes: list[DemoOptions], seconds: float, fps: float) -> None:
    """Print calls per face and accuracy with and without the budget."""
    calls, right = {}, {}
    for budget in (EVERY_FACE, DEFAULT_BUDGET):
        faces = classified = people = correct = 0
        for scene in scenes:
            before = _classified(networks)
            seen = analyse(networks, frames(scene, seconds, fps), budget=budget)
            faces, classified = faces + seen.faces, classified + _classified(networks) - before
            outcomes = judged(seen, scene)
            people, correct = people + len(outcomes), correct + sum(outcomes)
        calls[budget], right[budget] = classified / faces, correct / people
        print(
            f"{fps:g} fps, {'with' if budget is DEFAULT_BUDGET else 'without'} budget: {faces} "
            f"faces, {classified} classified, {correct} of {people} people judged as they were"
        )
    fewer = calls[EVERY_FACE] / calls[DEFAULT_BUDGET]
    apart = abs(right[DEFAULT_BUDGET] - right[EVERY_FACE]) * 100
    for budget, title in ((EVERY_FACE, "without"), (DEFAULT_BUDGET, "with")):
        print_result(
            f"C5 calls {title} budget at {fps:g} fps",
            round(calls[budget], 3),
            "classifications per face in view",
            "",
            True,
        )
    print_result(f"C5 at {fps:g} fps", round(fewer, 1), "times fewer", ">= 2", fewer >= 2)
    print_result(
        f"C5 accuracy at {fps:g} fps",
        [round(right[budget] * 100, 1) for budget in (EVERY_FACE, DEFAULT_BUDGET)],
        "% of people without and with",
        "within 0.5",
        apart <= 0.5,
    )


def judged(seen: Analysed, scene: DemoOptions) -> list[bool]:
    """Whether each counted person has the verdict of the walker whom their track mostly shows."""
    shown = walkers_shown(seen, scene)
    begin_s, end_s = seen.frames[0].captured_at_s, seen.frames[-1].captured_at_s
    wears: dict[int, Verdict] = {
        walker.id: walker.verdict for walker in walkers_between(scene, begin_s, end_s)
    }
    return [
        person.verdict == wears[shown[person.track_id].most_common(1)[0][0]]
        for person in seen.people
        if shown[person.track_id]
    ]


def walkers_shown(seen: Analysed, scene: DemoOptions) -> dict[int, Counter[int]]:
    """For each track, in how many frames it lay on which walker's face."""
    shown: dict[int, Counter[int]] = defaultdict(Counter)
    for frame in seen.frames:
        truths = faces_at(scene, frame.captured_at_s)
        for face in frame.faces:
            overlaps = [_iou(face.box, truth.box) for truth in truths]
            if overlaps and max(overlaps) >= LEAST_IOU:
                shown[face.track_id][truths[int(np.argmax(overlaps))].walker_id] += 1
    return shown


def _iou(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def _classified(networks: Networks) -> int:
    """How many faces have been classified since the networks' totals began."""
    return round(dict(networks.totals.items()).get(f"{batch_field(CLASSIFIER)}:sum", 0.0))


if __name__ == "__main__":
    main()
