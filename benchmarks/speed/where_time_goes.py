"""Which functions a running system's processor time goes to, sampled with py-spy.

`sample` looks into every process of the frames' path for a while. A line is a function of ours or
of a library as Python sees it: what it does in C counts as its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.speed.load import IN_PATH, Span
from benchmarks.system import System

RATE_HZ: Final = 100
SHOWN: Final = 24
WAITING: Final = (
    "Condition.wait",
    "Condition.notify",
    "_worker (concurrent/futures/thread.py",
    "SocketBuffer._read_from_socket",
)
"""Where threads stand that wait for others: a sampler may take them for busy."""


def sample(system: System, seconds: float) -> dict[str, Counter[str]]:
    """Samples by role and function, of threads that were on a processor or about to be.

    Empty, with a word on why, where py-spy is missing or may not look into other processes.
    """
    with tempfile.TemporaryDirectory(prefix="py-spy-") as folder:
        watched = {
            Path(folder) / f"{role} {pid}": pid
            for role, pids in _python_processes(system).items()
            for pid in pids
        }
        try:
            spies = [_spy(pid, seconds, target) for target, pid in watched.items()]
        except FileNotFoundError:
            print("no profile: py-spy is not installed (requirements-dev.txt)")
            return {}
        errors = [spy.communicate()[1].decode(errors="replace") for spy in spies]
        if any(spy.returncode for spy in spies):
            print(f"profile incomplete: {errors[0].strip()[-300:]}")
        found: dict[str, Counter[str]] = {}
        for target in watched:
            role = target.name.rpartition(" ")[0]
            found.setdefault(role, Counter()).update(_leaves(target))
        return {role: counts for role, counts in found.items() if counts}


def show(samples: Mapping[str, Counter[str]], span: Span) -> None:
    """Print the functions with most time, in milliseconds an analysed frame of `span`."""
    rows = []
    for role, counts in samples.items():
        role_ms = span.cpu_ms([role])
        for function, count in counts.items():
            rows.append((role_ms * count / counts.total(), role, function))
    print(f"\n{'CPU ms a frame':>14}  {'process':8} function")
    for milliseconds, role, function in sorted(rows, reverse=True)[:SHOWN]:
        print(f"{milliseconds:14.2f}  {role:8} {function}")
    rest = {role: span.cpu_ms([role]) for role in span.cpu_s if role not in samples}
    for role, milliseconds in sorted(rest.items(), key=lambda pair: -pair[1]):
        print(f"{milliseconds:14.2f}  {role:8} (all of it)")


def _python_processes(system: System) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for name, processes in system.processes().items():
        role = "reader" if name.startswith("ingest child") else name
        if role in IN_PATH and role not in {"redis", "ingest"}:
            busy = [p.pid for p in processes if role != "reader" or p.name().startswith("cam")]
            found.setdefault(role, []).extend(busy)
    return found


def _spy(pid: int, seconds: float, target: Path) -> subprocess.Popen[bytes]:
    program = Path(sys.executable).with_name("py-spy")
    arguments = ["record", "--pid", str(pid), "--duration", str(round(seconds)), "--nonblocking"]
    options = ["--rate", str(RATE_HZ), "--format", "raw", "--function", "--output", str(target)]
    return subprocess.Popen(
        [str(program), *arguments, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def _leaves(target: Path) -> Iterable[str]:
    """The innermost function of each sample."""
    if not target.is_file():
        return
    for line in target.read_text(encoding="utf-8", errors="replace").splitlines():
        stack, _, count = line.rpartition(" ")
        innermost = stack.rpartition(";")[2]
        if not innermost.startswith(WAITING):
            yield from [innermost] * int(count)
