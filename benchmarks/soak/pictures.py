"""A soak in pictures: memory, age, frames dropped, processes and Redis over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.soak.findings import Soak

CAUSES = ("stale", "overflow", "unpublished", "undecodable", "no_network")
WINDOW_COLOUR = "#f3d9c8"


def draw_pictures(soak: Soak, folder: Path) -> list[str]:
    """Write the pictures as PNG; return their names."""
    pictures = {"memory": _memory, "age": _age, "drops": _drops, "processes": _processes}
    for name, draw in pictures.items():
        draw(soak, folder / f"{name}.png")
    return list(pictures)


def _memory(soak: Soak, path: Path) -> None:
    lives = soak.lives()
    roles = sorted({life.role for life in lives})
    figure, axes = _sheet(len(roles), 2.0 * len(roles))
    for axis, role in zip(axes, roles, strict=True):
        _shade(axis, soak)
        for life in lives:
            if life.role == role:
                axis.plot(_minutes(soak, life.at_s), life.rss_mb, linewidth=1.2)
        axis.set_ylabel(f"{role}\nRSS MB", fontsize=8)
        axis.set_ylim(bottom=0)
    _finish(figure, axes, path, "Resident memory, a line for each process; faults shaded")


def _age(soak: Soak, path: Path) -> None:
    cameras = soak.cameras
    figure, axes = _sheet(len(cameras), 1.8 * len(cameras))
    for axis, camera in zip(axes, cameras, strict=True):
        _shade(axis, soak)
        times, p50, p99 = [], [], []
        for sample in soak.samples:
            ages = [age for _, age in sample["ages"].get(camera, ())]
            times.append(sample["at_s"])
            p50.append(np.percentile(ages, 50) if ages else np.nan)
            p99.append(np.percentile(ages, 99) if ages else np.nan)
        axis.plot(_minutes(soak, np.array(times)), p99, linewidth=0.9, label="p99 of 5 s")
        axis.plot(_minutes(soak, np.array(times)), p50, linewidth=0.9, label="p50 of 5 s")
        axis.set_ylabel(f"{camera}\nage s", fontsize=8)
        axis.set_ylim(0, 1)
    axes[0].legend(loc="upper right", fontsize=8)
    _finish(figure, axes, path, "Age from capture to committed analysis; faults shaded")


def _drops(soak: Soak, path: Path) -> None:
    figure, (axis,) = _sheet(1, 4)
    _shade(axis, soak)
    known = [sample for sample in soak.samples if sample["totals"]]
    times = _minutes(soak, np.array([sample["at_s"] for sample in known]))
    for cause in CAUSES:
        sums = [
            sum(one.get(f"dropped:{cause}", 0.0) for one in sample["totals"].values())
            for sample in known
        ]
        axis.plot(times, np.array(sums) - sums[0], label=cause)
    axis.set_ylabel("frames dropped so far, all cameras")
    axis.legend(fontsize=8)
    _finish(figure, [axis], path, "Frames dropped by cause; faults shaded")


def _processes(soak: Soak, path: Path) -> None:
    figure, axes = _sheet(3, 8)
    kinds = sorted({window.kind for window in soak.windows})
    for number, kind in enumerate(kinds):
        for window in soak.windows:
            if window.kind == kind:
                span = _minutes(soak, np.array([window.at_s, window.recovered_s]))
                axes[0].barh(number, span[1] - span[0], left=span[0], height=0.6, color="#b3541e")
    axes[0].set_yticks(range(len(kinds)), kinds, fontsize=8)
    times = _minutes(soak, np.array([sample["at_s"] for sample in soak.samples]))
    roles = ("worker", "ingest", "reader", "dashboard", "redis")
    for number, role in enumerate(roles):
        counts = [sum(_is(role, p) for p in sample["processes"]) for sample in soak.samples]
        # A little apart, or lines would hide each other.
        axes[1].step(times, np.array(counts) + 0.06 * number, where="post", label=role)
    axes[1].set_ylabel("processes that run")
    axes[1].legend(fontsize=7, ncols=len(roles), loc="upper center")
    axes[1].set_ylim(0, 7)
    used = [(s["redis"] or {}).get("used_memory", np.nan) / 1e6 for s in soak.samples]
    axes[2].plot(times, used, label="memory used, MB")
    axes[2].plot(
        times, [(s["redis"] or {}).get("keys", np.nan) for s in soak.samples], label="keys"
    )
    axes[2].set_ylabel("Redis")
    axes[2].set_ylim(bottom=0)
    axes[2].legend(fontsize=8)
    _finish(figure, axes, path, "Faults until all was well, processes, and Redis")


def _is(role: str, process: Mapping[str, str]) -> bool:
    return process["role"] == role or (process["role"].startswith(f"{role} ") and role == "reader")


def _minutes(soak: Soak, times_s: np.ndarray) -> np.ndarray:
    return np.asarray((times_s - soak.samples[0]["at_s"]) / 60)


def _shade(axis: Axes, soak: Soak) -> None:
    for window in soak.windows:
        begin, end = _minutes(soak, np.array([window.at_s, window.recovered_s]))
        axis.axvspan(begin, end, color=WINDOW_COLOUR, linewidth=0)


def _sheet(rows: int, inches: float) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(11, inches), layout="constrained")
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)
    return figure, list(axes[:, 0])


def _finish(figure: Figure, axes: Sequence[Axes], path: Path, title: str) -> None:
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlabel("minutes")
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)
