"""A worker that is paused past its lease changes nothing (result 3 of "People, counted once").

python -m benchmarks.paused_worker [--cameras 4] [--fps 5] [--pauses 8]

Live demo scenes; the two workers take turns in being stopped with SIGSTOP for two and a half
leases and going on with SIGCONT, when they try to commit what they had in hand.
"""

from __future__ import annotations

import argparse
import signal
import time

from benchmarks.scenes.live_truth import books_agree, compare, demo_system
from benchmarks.system import System, machine, print_result
from contract.people.totals import REFUSALS, refused_field

PAUSED_S = 5.0
BETWEEN_S = 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--pauses", type=int, default=8)
    options = parser.parse_args()
    print(f"{options.cameras} demo scenes at {options.fps:g} frames a second, {machine()}")
    with demo_system(options.cameras, options.fps, 500) as system:
        from_s, before = time.time(), refused(system)
        for number in range(options.pauses):
            pause(system, number % 2)
            time.sleep(BETWEEN_S)
        to_s = time.time()
        refusals = refused(system) - before
        found = compare(system, from_s, to_s)
        found.show(f"{options.pauses} pauses of {PAUSED_S:g} s within {to_s - from_s:.0f} s")
        met = refusals > 0
        print_result("C3 commits refused", refusals, "commits", "> 0, and none carried out", met)
        error = found.error
        print_result("C3 total error", round(error * 100, 1), "%", "<= 3", error <= 0.03)
        agree = books_agree(system)
        print_result("C3 totals, minutes and rows agree", agree, "", "True", agree)


def pause(system: System, index: int) -> None:
    """Stop one worker past its lease, and let it go on."""
    victim = system.processes()["worker"][index]
    before = refused(system)
    victim.send_signal(signal.SIGSTOP)
    time.sleep(PAUSED_S)
    victim.send_signal(signal.SIGCONT)
    time.sleep(1.0)
    print(f"paused worker {victim.pid}: {refused(system) - before} commits refused", flush=True)


def refused(system: System) -> int:
    """Commits refused so far, of all cameras."""
    totals = [system.totals(camera) for camera in system.cameras()]
    return int(sum(one.get(refused_field(reason), 0) for one in totals for reason in REFUSALS))


if __name__ == "__main__":
    main()
