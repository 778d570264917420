"""A soak's report: Markdown with pictures, and its results as lines of JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.soak.findings import JUDGED_AFTER_S, Soak, recoveries
from benchmarks.soak.pictures import draw_pictures
from benchmarks.system import print_result

LARGEST_GROWTH = 0.02
OLDEST_S = 1.0


def write_report(folder: Path) -> None:
    """Write `report.md` and its pictures to the folder of a soak; print the results."""
    soak = Soak(folder)
    parts = [
        *(_head(soak), _faults(soak), _memory(soak), _restarts(soak)),
        *(_ages(soak), _drops(soak), _redis(soak)),
        *(f"![{name}]({name}.png)" for name in draw_pictures(soak, folder)),
    ]
    text = "\n\n".join(parts) + "\n"
    (folder / "report.md").write_text(text)
    print(text)
    _results(soak)


def _head(soak: Soak) -> str:
    notes, count = soak.notes, len(soak.windows)
    warm_up_min = notes["warm_up_s"] / 60
    return (
        f"# Soak of {soak.minutes:.1f} minutes\n\n"
        f"{notes['machine']}; five cameras at {notes['fps']:g} analysed frames a second, two "
        f"workers, two ingest processes; seed {notes['seed']}, {count} faults.\n\n"
        "A fault's *window* is from its beginning until every camera had new analysed frames and "
        "every process was there again, for five seconds on end; "
        f"{soak.outside_s() / 60:.1f} minutes are outside of all windows. "
        f"A process's *warm-up* is its first {warm_up_min:g} minutes; its memory is the median of "
        "the three minutes after that, and of its last three. Growth is judged of processes that "
        f"lived {JUDGED_AFTER_S / 60:g} minutes longer than their warm-up."
    )


def _faults(soak: Soak) -> str:
    rows = []
    for kind, seconds in sorted(recoveries(soak.windows).items()):
        unwell = sum(not w.recovered for w in soak.windows if w.kind == kind)
        worst = f"{np.median(seconds):.1f} | {max(seconds):.1f}"
        rows.append(f"| {kind} | {len(seconds)} | {worst} | {unwell} |")
    head = "| fault | times | well after, median s | longest s | not well in 120 s |"
    return "\n".join(["## Faults", "", head, _rule(head), *rows])


def _memory(soak: Soak) -> str:
    lives = soak.lives()
    rows = []
    for life in sorted(lives, key=lambda one: (one.role, one.created_s)):
        if life.judged:
            first, last = life.ends_mb()
            rows.append(
                f"| {life.role} | {life.pid} | {life.minutes:.0f} | {first:.1f} | {last:.1f} "
                f"| {life.growth:+.2%} | {life.mb_an_hour():+.1f} | {life.pss_mb[-1]:.1f} |"
            )
    head = (
        "| process | pid | minutes | RSS after warm-up MB | at the end | growth "
        "| MB an hour, second half | PSS at the end |"
    )
    short = Counter(life.role for life in lives if not life.judged)
    others = ", ".join(f"{count} {role}" for role, count in sorted(short.items()))
    return "\n".join(
        ["## Memory", "", head, _rule(head), *rows, "", f"Lived too short: {others or 'none'}."]
    )


def _restarts(soak: Soak) -> str:
    causes = Counter((end.role, end.cause or "UNEXPLAINED") for end in soak.ends())
    rows = [f"| {role} | {count} | {cause} |" for (role, cause), count in sorted(causes.items())]
    head = "| process | ended | why |"
    again = ", ".join(f"{name} {count}" for name, count in sorted(soak.stages_restarted().items()))
    said = f"Started again by `maskwatch run`, as its log says: {again or 'none'}."
    errors = soak.errors()
    lines = "".join(f"\n    {line[:160]}" for line in errors[:20])
    said += f"\n\nErrors in the log: {len(errors)}.\n{lines}"
    return "\n".join(["## Processes that ended", "", head, _rule(head), *rows, "", said])


def _ages(soak: Soak) -> str:
    rows = []
    for camera in soak.cameras:
        _, ages = soak.ages(camera)
        p50, p95, p99 = np.percentile(ages, [50, 95, 99]) if len(ages) else [np.nan] * 3
        rate = len(ages) / soak.outside_s()
        rows.append(f"| {camera} | {rate:.2f} | {p50:.3f} | {p95:.3f} | {p99:.3f} |")
    head = "| camera | frames/s | p50 s | p95 s | p99 s |"
    return "\n".join(
        ["## Age, capture to committed, outside the windows", "", head, _rule(head), *rows]
    )


def _drops(soak: Soak) -> str:
    rows = []
    for camera in soak.cameras:
        for where, outside in (("outside", True), ("within", False)):
            counted = soak.counted(camera, outside)
            drops = {
                name.removeprefix("dropped:"): n
                for name, n in counted.items()
                if name.startswith("dropped:") and n and name != "dropped:not_sampled"
            }
            analysed = counted["frames:analysed"]
            causes = ", ".join(f"{name} {n}" for name, n in sorted(drops.items()))
            rows.append(f"| {camera} | {where} | {analysed} | {causes or 'none'} |")
    head = "| camera | windows | analysed | dropped, but for not sampled |"
    return "\n".join(["## Frames dropped by cause", "", head, _rule(head), *rows])


def _redis(soak: Soak) -> str:
    found = [sample["redis"] for sample in soak.samples if sample["redis"]]
    first, last = found[0], found[-1]
    visits = soak.samples[-1]["viewers"]
    return (
        "## Redis and viewers\n\n"
        f"Keys {first['keys']:.0f} at first, {last['keys']:.0f} at the end; memory used "
        f"{first['used_memory'] / 1e6:.1f} and {last['used_memory'] / 1e6:.1f} MB (most "
        f"{max(one['used_memory'] for one in found) / 1e6:.1f}), clients "
        f"{first['connected_clients']:.0f} and {last['connected_clients']:.0f}.\n"
        f"{visits['visits']} visits by viewers, {visits['failed']} of which the dashboard did not "
        "answer or ended (killed, or Redis away)."
    )


def _results(soak: Soak) -> None:
    judged = [life for life in soak.lives() if life.judged]
    worst = max(judged, key=lambda life: life.growth, default=None)
    growth = worst.growth if worst else float("nan")
    name = f"F5 memory growth, worst of {len(judged)} processes ({worst.role if worst else '-'})"
    print_result(name, round(growth * 100, 2), "%", "< 2", growth < LARGEST_GROWTH)
    unexplained = [end for end in soak.ends() if not end.cause]
    count = len(unexplained)
    print_result("F5 unexplained restarts", count, "processes", "0", count == 0)
    p99s = [_p99(soak.ages(camera)[1]) for camera in soak.cameras]
    p99 = max(p99s)
    print_result("F5 worst p99 age outside faults", round(p99, 3), "s", "< 1", p99 < OLDEST_S)
    print_result("F5 minutes", round(soak.minutes, 1), "minutes", ">= 60", soak.minutes >= 60)
    unwell = sum(not window.recovered for window in soak.windows)
    faults = len(soak.windows)
    print_result(f"F5 of {faults} faults, not recovered", unwell, "faults", "0", unwell == 0)


def _p99(ages_s: Sequence[float] | np.ndarray) -> float:
    return float(np.percentile(ages_s, 99)) if len(ages_s) else float("inf")


def _rule(head: str) -> str:
    return "|" + " --- |" * (head.count("|") - 1)
