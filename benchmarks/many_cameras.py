"""The cost of many cameras: pages, scrape, alerts, start and memory, for 8 to 1,000 cameras.

python -m benchmarks.many_cameras [--cameras 8 64 256 1000] [--sending 256] [--fps 1]

Redis, two workers, the dashboard and its clients are real processes of this machine. The networks
are replaced by a wait (`benchmarks.speed.fixed_speed`: 40 ms a frame), and one process publishes
small frames for the cameras that send; the others are registered and on, but nothing reads them.
From the least to the most cameras, each figure's growth is printed as an exponent: 1 is linear.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psutil

from alerts.service import make_evaluator
from benchmarks.scale_out import Farm, farm
from benchmarks.system import ROOT, free_port, machine, print_result, wait_until
from bus.bus import Bus
from bus.stores.alert_rules import AlertRuleStore
from bus.stores.cameras import CameraRegistry
from contract.accounts.grants import EVERYWHERE, Role
from contract.alerts.rules import make_rule
from contract.cameras.camera import make_camera
from dashboard.accounts.service import make_accounts
from runtime.stopping import die_with_parent
from runtime.vault import create_key_file

FRAME_MS: Final = 40.0
WORKERS: Final = 2
TRIES: Final = 12
STEADY_S: Final = 8.0
LONGEST_S: Final = 300.0
FASTER_THAN_LINEAR: Final = 1.1
"""An exponent from which a cost is said to grow faster than the number of cameras."""
PAGES: Final = {
    "/metrics": "/metrics",
    "/metrics, summary": "/metrics?detail=summary",
    "list of cameras": "/api/v1/cameras",
    "a day of all cameras together": "/api/v1/compliance",
    "search": "/api/v1/cameras/found?q=cam",
    "page of the wall": "/wall",
    "health check": "/healthz",
}
RULES: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "offline", "for_s": 60, "clear_s": 30},
    {"kind": "quality", "for_s": 30, "clear_s": 30},
    {"kind": "rate", "below": 0.8, "minutes": 15, "people": 20, "margin": 0.05},
)

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, nargs="+", default=[8, 64, 256, 1000])
    parser.add_argument("--sending", type=int, default=256, help="most cameras that send frames")
    parser.add_argument("--fps", type=float, default=0.15, help="frames a second of each")
    options = parser.parse_args()
    print(f"{machine()}, load {os.getloadavg()[0]:.1f}", flush=True)
    found = {n: measured(n, min(n, options.sending), options.fps) for n in options.cameras}
    show(found)


def measured(cameras: int, sending: int, fps: float) -> Figures:
    """Return every figure of one size."""
    with farm(sending, FRAME_MS) as running:
        running.feed(sending * fps)
        registry = CameraRegistry(running.redis)
        for number in range(sending, cameras):
            registry.add(make_camera(name=f"gate {number}", source="demo:"))
        running.expect(cameras)
        figures = {"all owned after, s": start_workers(running)}
        with dashboard(running) as (url, process, key):
            figures |= requests(url, key, process)
            figures |= alerts(running)
            figures |= steady(running, process)
    print(f"{cameras} cameras, {sending} of them send: done", flush=True)
    return figures


def start_workers(running: Farm) -> float:
    """Return the seconds from the first worker's beat until the cameras are shared."""
    began_s = time.monotonic()
    for _ in range(WORKERS):
        running.start_worker()
    wait_until(lambda: running.members.live(), LONGEST_S, "a worker's first beat")
    loaded_s = time.monotonic() - began_s
    wait_until(running.shared, LONGEST_S, "the cameras to be shared")
    return time.monotonic() - began_s - loaded_s


@contextmanager
def dashboard(running: Farm) -> Iterator[tuple[str, psutil.Process, str]]:
    """Run a dashboard over the farm's Redis; yield its address, process and a key for it."""
    port, state = free_port(), running.folder / "state"
    state.mkdir()
    create_key_file(state / "secret.key")
    settings = {
        "MASKWATCH_REDIS_URL": running.redis_url,
        "MASKWATCH_STATE_DIR": str(state),
        "MASKWATCH_PORT": str(port),
    }
    with (running.folder / "dashboard.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
    grants: dict[str, Role] = {EVERYWHERE: "administrator"}
    _, key = make_accounts(Bus(running.redis)).api_keys.add("b", grants, 1, "benchmark")
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _answers(url), LONGEST_S, "the dashboard")
        yield url, psutil.Process(process.pid), key
    finally:
        process.terminate()
        process.wait()


def requests(url: str, key: str, process: psutil.Process) -> Figures:
    """Return the dashboard's processor time for each page, and the size of the answers."""
    figures = {}
    for name, path in PAGES.items():
        before_s = _cpu_s(process)
        sizes = [len(fetch(url + path, key)) for _ in range(TRIES)]
        figures[f"{name}, ms of processor"] = (_cpu_s(process) - before_s) / TRIES * 1000
        figures[f"{name}, kB"] = max(sizes) / 1000
    figures["wall's first records, kB"] = first_records(url, key) / 1000
    return figures


def first_records(url: str, key: str, seconds: float = 2.0) -> int:
    """Return the bytes that a new wall receives at once, without pictures."""
    request = urllib.request.Request(f"{url}/wall/stream", headers=_authorized(key))
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        return len(answer.read1(10_000_000))


def alerts(running: Farm) -> Figures:
    """Return the processor time of one evaluation of three rules at every camera."""
    rules = AlertRuleStore(running.redis)
    for number, when in enumerate(RULES):
        rules.add(make_rule(name=f"rule {number}", when=when))
    spent = []
    for _ in range(TRIES):
        evaluator = make_evaluator(Bus(running.redis))
        before_s = time.process_time()
        evaluator.step()
        spent.append(time.process_time() - before_s)
        evaluator.leave()
    return {"alerts evaluated, ms of processor": statistics.median(spent) * 1000}


def steady(running: Farm, dashboard: psutil.Process) -> Figures:
    """Return what processes use while nothing happens but frames."""
    server = psutil.Process(running.server_pid)
    workers = [psutil.Process(worker.pid) for worker in running.workers]
    counted: dict[str, Callable[[], float]] = {
        "Redis, % of a core": lambda: _cpu_s(server),
        "workers, % of a core": lambda: sum(map(_cpu_s, workers)),
        "dashboard at rest, % of a core": lambda: _cpu_s(dashboard),
    }
    before = {name: read() for name, read in counted.items()}
    time.sleep(STEADY_S)
    figures = {name: (read() - before[name]) / STEADY_S * 100 for name, read in counted.items()}
    figures["dashboard, MB of its own"] = sum(map(_own_mb, _tree(dashboard)))
    figures["a worker, MB of its own"] = _own_mb(workers[0])
    info: Any = running.redis.info("memory")
    figures["Redis, MB"] = info["used_memory"] / 1e6
    return figures


def show(found: Mapping[int, Figures]) -> None:
    """Print a row for each figure, and say what grows faster than the number of cameras."""
    sizes = sorted(found)
    print(f"{'cameras':44}" + "".join(f"{n:>10}" for n in sizes) + "  growth")
    steep = []
    for name in found[sizes[0]]:
        values = [found[n][name] for n in sizes]
        growth = exponent(sizes, values)
        print(f"{name:44}" + "".join(f"{value:10.1f}" for value in values) + f"{growth:8.2f}")
        if growth > FASTER_THAN_LINEAR:
            steep.append(name)
    words = ", ".join(steep) or "nothing"
    print_result("M3 grows faster than the cameras", words, "", "nothing", not steep)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Return b of value = a * cameras**b between the two largest sizes."""
    if len(sizes) < 2 or min(values[-2:]) <= 0:
        return 0.0
    return math.log(values[-1] / values[-2]) / math.log(sizes[-1] / sizes[-2])


def fetch(url: str, key: str) -> bytes:
    """Return the body of a page."""
    request = urllib.request.Request(url, headers=_authorized(key))
    with urllib.request.urlopen(request, timeout=LONGEST_S) as answer:
        return bytes(answer.read())


def _authorized(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5):
            return True
    except OSError:
        return False


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _cpu_s(process: psutil.Process) -> float:
    """Of a process and those it started, to a hundredth of a second."""
    times = [one.cpu_times() for one in _tree(process)]
    return float(sum(each.user + each.system for each in times))


def _own_mb(process: psutil.Process) -> float:
    return float(process.memory_full_info().uss / 1e6)


if __name__ == "__main__":
    main()
