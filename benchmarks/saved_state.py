"""What it costs to save the state of a camera with each frame, and to read it back.

python -m benchmarks.saved_state [--faces 1 4 16] [--before CHECKOUT]

Bytes and microseconds of processor time, medians over the frames of a made-up crowd, of whom each
is looked at in every second frame. With `--before`, both checkouts are measured in turns, each in a
process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from worker.condition.condition import CameraCondition
from worker.tracking.tracker import Tracker

SIZE = (1920, 1080)
BEGIN_S = 1_790_000_000.123
FPS = 5.0
FRAMES = 120
WARM_UP = 20
ROUNDS = 3
LOOKS = ((0.91, 0.055, 0.035), (0.03, 0.04, 0.93))
IN_TURN = "MASKWATCH_SAVED_STATE_JSON"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faces", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--before", type=Path, help="another checkout, measured in turns")
    given = parser.parse_args()
    if os.environ.get(IN_TURN):
        print(json.dumps(measured(given.faces)))
        return
    checkouts = {"now": Path(__file__).parents[1]}
    if given.before:
        checkouts = {"before": given.before, **checkouts}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(ROUNDS):
        for name, checkout in checkouts.items():
            found[name].append(_in_process(checkout, given.faces))
    for what in found["now"][0]:
        middle = {name: median(one[what] for one in rounds) for name, rounds in found.items()}
        print(f"{what:42}", *(f"{name} {value:8.1f}" for name, value in middle.items()), end="")
        print(f"  {middle['now'] / middle['before']:.2f} times" if given.before else "")


def _in_process(checkout: Path, faces: list[int]) -> dict[str, float]:
    arguments = ["--faces", *map(str, faces)]
    environment = {**os.environ, "PYTHONPATH": str(checkout), IN_TURN: "1"}
    command = [sys.executable, "-P", str(Path(__file__)), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measured(crowds: list[int]) -> dict[str, float]:
    """Bytes and microseconds of this process's checkout, by what was measured."""
    found: dict[str, float] = {}
    for faces in crowds:
        found |= {f"{faces} faces: {what}": value for what, value in of_tracker(faces).items()}
    return found | {f"condition: {what}": value for what, value in of_condition().items()}


def of_tracker(faces: int) -> dict[str, float]:
    """A crowd that walks through the picture, some masked, some not."""
    rng, tracker = np.random.default_rng(1), Tracker()
    places = rng.uniform((0, 100), (900, 900), (faces, 2))
    speeds = rng.uniform(-40, 40, (faces, 2))
    sides = rng.uniform(28, 90, faces)
    spent: dict[str, list[float]] = {"bytes a face": [], "encode us": [], "decode us": []}
    for number in range(FRAMES):
        time_s = BEGIN_S + number / FPS
        middles = (places + speeds * number / FPS) % SIZE + rng.normal(0, 1, (faces, 2))
        boxes = np.hstack([middles, middles + sides[:, None]]).astype(np.float32)
        whose, _ = tracker.update(boxes, time_s, SIZE)
        if number % 2:
            for index, track in enumerate(whose):
                if track:
                    look = np.array(LOOKS[index % 2], np.float32)
                    track.votes = track.votes.add(look, rng.uniform(0.2, 1.0), time_s)
        if number >= WARM_UP:
            saved = tracker.encode()
            spent["bytes a face"].append(len(saved) / max(1, len(tracker.tracks)))
            spent["encode us"].append(_microseconds(tracker.encode))
            spent["decode us"].append(_microseconds(partial(Tracker.decode, saved)))
    return {what: median(values) for what, values in spent.items()}


def of_condition() -> dict[str, float]:
    """A camera that has been watched for a minute, and whose people passed."""
    rng, condition = np.random.default_rng(1), CameraCondition()
    scene = cv2.resize(rng.integers(20, 235, (18, 32, 3), np.uint8), (320, 180))
    for number in range(240):
        picture = np.clip(scene + rng.normal(0, 3, scene.shape), 0, 255).astype(np.uint8)
        condition.see(picture, BEGIN_S + number / 4)
        condition.fitness.look(110.0, 0.9, 0.12)
        condition.fitness.person(float(rng.uniform(20, 90)), "mask")
    record: Any = condition.take_record(BEGIN_S + 60)
    return {
        "bytes": len(record.state),
        "report and encode us": _microseconds(lambda: _recorded(condition)),
        "decode us": _microseconds(lambda: CameraCondition.decode(record.state)),
        "a look at a face us": _microseconds(lambda: condition.fitness.look(110.0, 0.9, 0.12)),
        "a person us": _microseconds(lambda: condition.fitness.person(44.0, "mask")),
    }


def _recorded(condition: CameraCondition) -> None:
    condition._written_at_s = 0.0
    condition.take_record(BEGIN_S + 60)


def _microseconds(call: Callable[[], Any], times: int = 20) -> float:
    began_s = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began_s) / times * 1e6


if __name__ == "__main__":
    main()
