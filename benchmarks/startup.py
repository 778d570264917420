"""From `make run` to the first annotated frame, and what each process needs, idle and loaded.

python -m benchmarks.startup [--repetitions 3] [--seconds 10]

Installed, with an empty state folder: the clock runs from the command until the dashboard gives
out an annotated picture of the first demo camera. Where this checkout has no `.venv` of its own,
`python -m maskwatch run` stands for `make run`, and the output says so. Memory is the proportional
set size (shared pages count once): without any camera, and with four that play the concourse clip,
five frames a second analysed, somebody watching all of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from redis.exceptions import RedisError

from benchmarks.five_cameras import memory_mb
from benchmarks.scenes.films import concourse
from benchmarks.speed.load import cpu_by_process, film_cameras, set_all, spread, wait_for_pictures
from benchmarks.system import (
    ROOT,
    System,
    free_port,
    machine,
    print_result,
    running_system,
    wait_until,
)
from benchmarks.wall_viewers import watching
from runtime.stopping import die_with_parent

TARGET_S: Final = 5.0
LONGEST_S: Final = 90.0
FPS: Final = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="before memory is read")
    options = parser.parse_args()
    command = run_command()
    print(f"{machine()}; {' '.join(command)}", flush=True)
    times_s = [first_picture_s(command) for _ in range(options.repetitions)]
    print(f"seconds to the first annotated frame: {spread(times_s)}", flush=True)
    median_s = statistics.median(times_s)
    title = "S1 from the command to the first annotated frame"
    print_result(title, round(median_s, 2), "s", f"<= {TARGET_S:g}", median_s <= TARGET_S)
    report_memory(idle(options.seconds), loaded(options.seconds))


def run_command() -> Sequence[str]:
    """`make run` where that would install nothing; else what it would run."""
    if Path(sys.prefix) == ROOT / ".venv":
        planned = subprocess.run(["make", "-n", "run"], cwd=ROOT, capture_output=True, text=True)
        if planned.returncode == 0 and "pip" not in planned.stdout:
            return ("make", "run")
    print("no installed .venv in this checkout: `python -m maskwatch run` stands for `make run`")
    return (sys.executable, "-m", "maskwatch", "run")


def first_picture_s(command: Sequence[str]) -> float:
    """Start everything; return the seconds until a demo camera's annotated picture is there."""
    with tempfile.TemporaryDirectory(prefix="maskwatch-", ignore_cleanup_errors=True) as folder:
        state_dir, port = Path(folder), free_port()
        environment = {
            **os.environ,
            "MASKWATCH_STATE_DIR": str(state_dir),
            "MASKWATCH_PORT": str(port),
            "CAMERAS": "",
        }
        began_s = time.monotonic()
        with (state_dir / "run.log").open("wb") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                process_group=0,
                preexec_fn=die_with_parent,
            )
        system = System(state_dir, port, process)
        try:
            wait_until(lambda: _has_picture(system), LONGEST_S, "an annotated picture", system)
            seconds = time.monotonic() - began_s
            _show_processor(system)
            return seconds
        finally:
            os.killpg(process.pid, 15)
            process.wait(20)


def _show_processor(system: System) -> None:
    """Print the processor seconds that start-up has taken so far, process by process."""
    by_role: dict[str, float] = {}
    for (role, _), used_s in cpu_by_process(system).items():
        by_role[role] = by_role.get(role, 0.0) + used_s
    parts = ", ".join(f"{role} {used_s:.1f}" for role, used_s in sorted(by_role.items()))
    print(f"processor seconds until then: {sum(by_role.values()):.1f} ({parts})", flush=True)


def _has_picture(system: System) -> bool:
    """Ask for the first camera's annotated picture, as a visitor's browser would."""
    try:
        cameras = system.cameras()
        if not cameras:
            return False
        return system.get(f"/cameras/{cameras[0].id}/snapshot.jpg")[:2] == b"\xff\xd8"
    except (RedisError, OSError, urllib.error.URLError):
        return False


def idle(seconds: float) -> dict[str, float]:
    """Megabytes of each process without any camera."""
    with running_system() as system:
        for camera in system.cameras():
            system.call("DELETE", f"/api/v1/cameras/{camera.id}")
        time.sleep(seconds)
        return memory_mb(system)


def loaded(seconds: float) -> dict[str, float]:
    """Megabytes of each process with four cameras and a viewer."""
    names = {f"film{number}": concourse() for number in range(4)}
    with running_system(film_cameras(names)) as system:
        set_all(system, system.cameras(), analysis_fps=FPS)
        wait_for_pictures(system, system.cameras())
        with watching(system, 1) as viewer:
            time.sleep(seconds)
            found = memory_mb(system)
            viewer.leave()
        return found


def report_memory(idle_mb: dict[str, float], loaded_mb: dict[str, float]) -> None:
    """Print both beside each other."""
    print(f"\n{'process':28} {'idle MB':>8} {'loaded MB':>10}")
    for name in sorted({*idle_mb, *loaded_mb}):
        before, now = idle_mb.get(name), loaded_mb.get(name)
        cells = [f"{one:8.1f}" if one is not None else f"{'-':>8}" for one in (before, now)]
        print(f"{name:28} {cells[0]} {cells[1]:>10}")
    for title, found in (("idle", idle_mb), ("four cameras", loaded_mb)):
        total = round(sum(found.values()), 1)
        print_result(f"S2 memory of all processes, {title}", total, "MB", "none", True)


if __name__ == "__main__":
    main()
