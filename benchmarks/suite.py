"""All of the speed benchmarks with one command: a table, and JSON and Markdown beside it.

python -m benchmarks.suite [--full] [--only against_seed viewers] [--out benchmarks/results]

`make bench` runs the short form (within five minutes), `make bench-full` all of it (about half an
hour). Each benchmark is a command of its own, run one after the other on whatever machine this is;
one that fails or takes too long is said to, and the others go on. Ends with 1 if any did.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.system import ROOT, machine
from bus.server.embedded import find_redis_server

PACKAGES: Final = ("av", "numpy", "onnxruntime", "opencv-python-headless", "redis", "tensorflow")
BUSY_SHARE: Final = 0.15
"""From this share of the processor used by others on, figures are said to be of a busy machine."""
LOOK_S: Final = 3.0

CAVEATS: Final = (
    "Ratios are of one run on one machine; absolute figures drift with it.",
    "Cameras, Redis, workers, dashboard and whoever measures share the same cores.",
    "The seed's loop is written anew from what the seed does; its mask network has other weights.",
    "Scale-out replaces the networks by a wait, so it shows coordination, not inference.",
)


@dataclass(frozen=True)
class Benchmark:
    """One command, in its two forms."""

    letter: str
    module: str
    short: tuple[str, ...]
    full: tuple[str, ...]
    short_limit_s: float
    full_limit_s: float

    def command(self, full: bool) -> list[str]:
        """What is run, without the interpreter."""
        return ["-m", f"benchmarks.{self.module}", *(self.full if full else self.short)]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


BENCHMARKS: Final = (
    Benchmark(
        *("A", "against_seed", _words("--seconds 3 --repetitions 1"), _words("--repetitions 5")),
        *(240, 900),
    ),
    Benchmark(
        *("B", "against_limit", _words("--seconds 5 --repetitions 1"), _words("--repetitions 5")),
        *(180, 900),
    ),
    Benchmark(
        *("C", "age_under_load", _words("--seconds 8 --loads 80 200"), _words("--seconds 40")),
        *(240, 900),
    ),
    Benchmark(
        *("D", "cameras_per_machine", _words("--seconds 8 --counts 8"), _words("--seconds 30")),
        *(240, 1800),
    ),
    Benchmark(
        *("E", "scale_out", _words("--workers 1 4 --cameras 32 --seconds 5"), ()),
        *(240, 1800),
    ),
    Benchmark(
        *("F", "viewers", _words("--viewers 1 100 --seconds 3 --repetitions 2"), ()),
        *(180, 600),
    ),
    Benchmark("G", "gpu", _words("--rounds 10"), (), 240, 900),
    Benchmark(
        *("S", "startup", _words("--seconds 3 --repetitions 1"), _words("--repetitions 5")),
        *(240, 900),
    ),
)


@dataclass(frozen=True)
class Run:
    """What a benchmark printed."""

    letter: str
    command: str
    seconds: float
    failure: str
    results: list[dict[str, Any]]
    output: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", nargs="+", choices=[one.module for one in BENCHMARKS])
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    surroundings = describe(options.full)
    print("\n".join(f"{name}: {value}" for name, value in surroundings.items()), flush=True)
    wanted = [one for one in BENCHMARKS if not options.only or one.module in options.only]
    runs = [run(one, options.full) for one in wanted]
    print(f"\n{table(runs)}")
    paths = write(options.out, surroundings, runs)
    print(f"\nwritten: {', '.join(map(str, paths))}")
    failed = [one.command for one in runs if one.failure]
    for command in failed:
        print(f"failed: {command}")
    return 1 if failed else 0


def describe(full: bool) -> dict[str, str]:
    """The machine, the versions, and whether somebody else uses the machine."""
    busy = psutil.cpu_percent(LOOK_S) / 100
    commit = _output(["git", "describe", "--always", "--dirty"])
    return {
        "form": "full" if full else "short",
        "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine(),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": platform.platform(),
        "commit": commit or "unknown",
        "Redis": _output([str(find_redis_server()), "--version"]).split(" sha=")[0],
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "processor used by others": f"{busy:.0%}"
        + (": a busy machine, not for figures to quote" if busy > BUSY_SHARE else ""),
    }


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def run(benchmark: Benchmark, full: bool) -> Run:
    """Run one benchmark, passing on what it prints; end it where it takes too long."""
    words = benchmark.command(full)
    command = " ".join(("python", *words))
    limit_s = benchmark.full_limit_s if full else benchmark.short_limit_s
    print(f"\n## {benchmark.letter}: {command}", flush=True)
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        start_new_session=True,
    )
    try:
        out, errors = process.communicate(timeout=limit_s)
        failure = "" if process.returncode == 0 else errors.strip()[-1000:] or "ended with an error"
    except subprocess.TimeoutExpired:
        out = _end(process)
        failure = f"took longer than {limit_s:.0f} s"
    lines = out.splitlines()
    print(out, end="", flush=True)
    if failure:
        print(f"FAILED: {failure}", flush=True)
    seconds = round(time.monotonic() - began_s, 1)
    text = "\n".join(line for line in lines if not line.startswith('{"result"'))
    return Run(benchmark.letter, command, seconds, failure, _results(lines), text)


def _end(process: subprocess.Popen[str]) -> str:
    """End a benchmark and all that it started; return what it had printed."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    psutil.wait_procs(started, 15)
    for one in started:
        if one.is_running():
            one.kill()
    process.kill()
    return process.communicate()[0]


def _results(lines: Sequence[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if line.startswith('{"result"')]


def table(runs: Sequence[Run]) -> str:
    """All results as a Markdown table."""
    rows = ["| Result | Figure | Target | Met |", "| --- | --- | --- | --- |"]
    for one in runs:
        for result in one.results:
            met = "-" if result["target"] == "none" else "yes" if result["met"] else "**no**"
            figure = f"{result['figure']} {result['unit']}".strip()
            rows.append(f"| {result['result']} | {figure} | {result['target']} | {met} |")
        if one.failure:
            rows.append(f"| {one.letter}: `{one.command}` | failed | | **no** |")
        elif not one.results:
            rows.append(f"| {one.letter}: {one.output.strip()} | - | | - |")
    return "\n".join(rows)


def write(out: Path, surroundings: dict[str, str], runs: Sequence[Run]) -> tuple[Path, Path]:
    """Write everything as JSON and as Markdown; return where."""
    out.mkdir(parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y-%m-%d-%H%M}-{surroundings['form']}"
    as_json, as_markdown = out / f"{name}.json", out / f"{name}.md"
    record = {"surroundings": surroundings, "caveats": CAVEATS, "runs": [asdict(r) for r in runs]}
    as_json.write_text(json.dumps(record, indent=1) + "\n")
    parts = ["# Benchmark results", ""]
    parts += [f"- {key}: {value}" for key, value in surroundings.items()]
    parts += ["", *(f"- {caveat}" for caveat in CAVEATS), "", table(runs)]
    for one in runs:
        parts += ["", f"## {one.letter}: `{one.command}` ({one.seconds:g} s)", ""]
        parts += ["```", one.output.strip(), "```"]
        parts += ["", f"Failed: {one.failure}"] if one.failure else []
    as_markdown.write_text("\n".join(parts) + "\n")
    return as_json, as_markdown


if __name__ == "__main__":
    sys.exit(main())
