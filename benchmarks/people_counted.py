"""People counted in demo scenes against the ground truth of who walked by (result C1).

python -m benchmarks.people_counted [--seeds 10] [--first 1] [--seconds 60] [--fps 5 10]

Renders the demo's scenes, in which people cross, hide one another and pass behind pillars, and
gives them to the worker's own analyser, without ingest and Redis, faster than real time. True is
everyone whose face was at least half in view for half a second of the time watched; whoever is in
view when it begins or ends counts in both columns, although only a part of their way is seen.
Then the same for people who stand for a minute while others pass in front of them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.scenes.offline import analyse
from benchmarks.system import machine, print_result
from contract.people.people import Person
from contract.people.verdicts import VERDICTS
from ingest.demo.options import DemoOptions, parse_demo
from ingest.demo.scene import Scene
from ingest.demo.walkers import Walker, faces_at, walkers_between
from runtime.settings import load_settings
from worker.networks import Networks, load_networks

BEGIN_S: Final = 1_790_000_000.0
"""A fixed moment, so that a seed is the same scene in every run."""
WALKING: Final = "demo:seed={}&people=4&pillars=2"
STANDING: Final = "demo:seed={}&people=2&standing=1"
STANDING_SEEDS: Final = 2
STANDING_WATCHED_S: Final = 85.0
LOOK_EVERY_S: Final = 0.1
LEAST_VISIBLE: Final = 0.5
LEAST_VISIBLE_S: Final = 0.5
LONG_HIDDEN_S: Final = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fps", type=float, nargs="+", default=[5.0, 10.0])
    options = parser.parse_args()
    networks = load_networks(load_settings())
    print(f"{options.seeds} seeds from {options.first} of {options.seconds:g} s, {machine()}")
    seeds = range(options.first, options.first + options.seeds)
    scenes = [parse_demo(WALKING.format(seed)) for seed in seeds]
    truths = [true_people(scene, options.seconds) for scene in scenes]
    print(_how_hard(scenes, options.seconds))
    for fps in options.fps:
        measure(networks, scenes, truths, options.seconds, fps)
    for fps in options.fps:
        measure_standing(networks, fps)


def measure(
    networks: Networks,
    scenes: list[DemoOptions],
    truths: list[list[Walker]],
    seconds: float,
    fps: float,
) -> None:
    """Print counted against true people by verdict, and the errors."""
    counted, true, worst = Counter[str](), Counter[str](), 0.0
    for scene, walkers in zip(scenes, truths, strict=True):
        seen = analyse(networks, frames(scene, seconds, fps))
        worst = max(worst, abs(len(seen.people) / len(walkers) - 1))
        counted += Counter[str](person.verdict for person in seen.people)
        true += Counter[str](walker.verdict for walker in walkers)
    print(f"\n{fps:g} frames a second")
    print(f"{'':10} " + " ".join(f"{verdict:>10}" for verdict in (*VERDICTS, "all")))
    for title, counts in (("counted", counted), ("true", true)):
        cells = [counts[verdict] for verdict in VERDICTS] + [counts.total()]
        print(f"{title:10} " + " ".join(f"{cell:10}" for cell in cells))
    errors = [_error(counted[v], true[v]) for v in VERDICTS]
    print(f"{'error':10} " + " ".join(f"{error:>10}" for error in errors))
    error = abs(counted.total() / true.total() - 1)
    print_result(
        f"C1 people at {fps:g} fps", round(error * 100, 1), "% error", "<= 3", error <= 0.03
    )
    print_result(
        f"C1 worst seed at {fps:g} fps", round(worst * 100, 1), "% error", "<= 8", worst <= 0.08
    )


def measure_standing(networks: Networks, fps: float) -> None:
    """Print as how many people somebody counts who stands for a minute while others pass."""
    times = []
    for seed in range(1, STANDING_SEEDS + 1):
        scene = parse_demo(STANDING.format(seed))
        begin_s = next(
            walker.enters_at_s - 1.0
            for walker in walkers_between(scene, BEGIN_S, BEGIN_S + 200)
            if walker.stands_s and walker.enters_at_s > BEGIN_S
        )
        seen = analyse(networks, frames(scene, STANDING_WATCHED_S, fps, begin_s))
        times.append(sum(_stood(person) for person in seen.people))
    once = all(counted == 1 for counted in times)
    print_result(
        f"C1 standing for 60 s at {fps:g} fps", times, "times counted, by seed", "1 each", once
    )


def true_people(scene: DemoOptions, seconds: float, begin_s: float = BEGIN_S) -> list[Walker]:
    """Return those whose face could be seen for long enough to be counted."""
    visible = Counter[int]()
    for time_s in _moments(seconds, begin_s):
        visible.update(
            face.walker_id for face in faces_at(scene, time_s) if face.visible >= LEAST_VISIBLE
        )
    least = LEAST_VISIBLE_S / LOOK_EVERY_S
    everyone = walkers_between(scene, begin_s, begin_s + seconds)
    return [walker for walker in everyone if visible[walker.id] >= least]


def frames(
    scene: DemoOptions, seconds: float, fps: float, begin_s: float = BEGIN_S
) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """Yield times and frames of a scene."""
    stage = Scene(scene)
    for number in range(int(seconds * fps)):
        time_s = begin_s + number / fps
        yield time_s, stage.render(time_s)


def _stood(person: Person) -> bool:
    """Whether this is somebody who stood, or a part of one: nobody else stays for so long."""
    return person.last_seen_s - person.first_seen_s > 12.0


def _how_hard(scenes: list[DemoOptions], seconds: float) -> str:
    """How many people are hidden on their way, and for how long."""
    hidden, long, people = 0, 0, 0
    for scene in scenes:
        seen: dict[int, list[float]] = {}
        for time_s in _moments(seconds, BEGIN_S):
            for face in faces_at(scene, time_s):
                if face.visible >= LEAST_VISIBLE:
                    seen.setdefault(face.walker_id, []).append(time_s)
        gaps = [max(np.diff(times), default=0.0) for times in seen.values()]
        people += len(gaps)
        hidden += sum(gap > 1.5 * LOOK_EVERY_S for gap in gaps)
        long += sum(gap > LONG_HIDDEN_S for gap in gaps)
    return f"of {people} people {hidden} are hidden on their way, {long} for over {LONG_HIDDEN_S} s"


def _moments(seconds: float, begin_s: float) -> Iterator[float]:
    return (begin_s + number * LOOK_EVERY_S for number in range(int(seconds / LOOK_EVERY_S)))


def _error(counted: int, true: int) -> str:
    return f"{(counted / true - 1) * 100:+.1f} %" if true else ""


if __name__ == "__main__":
    main()
