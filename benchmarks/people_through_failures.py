"""People counted while processes are killed (result 2 of "People, counted once").

python -m benchmarks.people_through_failures [--cameras 4] [--fps 5] [--calm 60] [--seconds 240]

Live demo scenes with ground truth, first left alone, then while a random worker is killed with
SIGKILL every 10 s, a random ingest process every 45 s, and Redis once. `maskwatch run` starts
again what was killed, as it would for a user.
"""

from __future__ import annotations

import argparse
import math
import random
import time

import psutil

from benchmarks.scenes.live_truth import (
    books_agree,
    compare,
    demo_system,
    frame_counts,
    share_analysed,
)
from benchmarks.system import System, machine, print_result

WORKER_EVERY_S = 10.0
INGEST_EVERY_S = 45.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--calm", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"{options.cameras} demo scenes at {options.fps:g} frames a second, {machine()}")
    with demo_system(options.cameras, options.fps, 100 * options.seed) as system:
        if options.calm:
            measure(system, "left alone", options.calm, None)
        measure(system, "with kills", options.seconds, random.Random(options.seed))  # noqa: S311
        agree = books_agree(system)
        print_result("C2 totals, minutes and rows agree", agree, "", "True", agree)


def measure(system: System, title: str, seconds: float, dice: random.Random | None) -> None:
    """Print who was counted within `seconds`, killing meanwhile if there are dice."""
    from_s, frames = time.time(), frame_counts(system)
    if dice:
        kill_until(system, from_s, from_s + seconds, dice)
    else:
        time.sleep(seconds)
    to_s = time.time()
    found = compare(system, from_s, to_s)
    print(f"frames: {dict(frame_counts(system) - frames)}")
    share = share_analysed(system, from_s, to_s)
    analysed = "" if math.isnan(share) else f", {share:.1%} of the time analysed"
    found.show(f"{title}, {seconds:g} s{analysed}")
    if dice:
        people = found.true.total()
        print_result("C2 people", people, "people who left", ">= 200", people >= 200)
        error = found.error
        print_result("C2 total error", round(error * 100, 1), "%", "<= 3", error <= 0.03)


def kill_until(system: System, from_s: float, to_s: float, dice: random.Random) -> None:
    """Kill a worker every 10 s, an ingest process every 45 s, Redis once, until `to_s`."""
    due = {"worker": WORKER_EVERY_S, "ingest": INGEST_EVERY_S, "redis": (to_s - from_s) / 2 + 5}
    due = {role: from_s + after_s for role, after_s in due.items()}
    every_s = {"worker": WORKER_EVERY_S, "ingest": INGEST_EVERY_S, "redis": float("inf")}
    while (now_s := time.time()) < to_s:
        for role, at_s in due.items():
            if now_s >= at_s:
                kill_one(system, role, now_s - from_s, dice)
                due[role] += every_s[role]
        time.sleep(0.05)


def kill_one(system: System, role: str, after_s: float, dice: random.Random) -> None:
    running = [p for p in system.processes().get(role, []) if p.status() != psutil.STATUS_ZOMBIE]
    if not running:
        print(f"{after_s:6.1f} s: no {role} runs")
        return
    victim = dice.choice(running)
    victim.kill()
    print(f"{after_s:6.1f} s: killed {role} {victim.pid}, one of {len(running)}", flush=True)


if __name__ == "__main__":
    main()
