"""What a soak's files say: memory of every process, restarts and their causes, ages, drops."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import theilslopes

from benchmarks.soak.samples import EVERY_S, read_lines
from ingest.process.service import SETTLE_S

END_S: Final = 180.0
"""Memory is the median of the three minutes after the warm-up, and of the last three."""
JUDGED_AFTER_S: Final = 600.0
"""Growth is judged of processes that lived so long after their warm-up."""
READERS_FOLLOW_S: Final = 10.0
"""A reader may end so long after the window of what happened to its camera."""
GIVEN_BACK_S: Final = SETTLE_S + 20.0
"""Ingest processes that come, or come back after Redis was away for longer than a lease, get their
share of the cameras until so long after the fault's window."""
MOVES_CAMERAS: Final = frozenset({"ingest killed", "redis killed", "redis paused"})
_ENDED: Final = re.compile(r" run +([a-z]+)[ \d]* ended with status -?\d+; restarting it")
_ERROR: Final = re.compile(r"^\S+ (?:ERROR|CRITICAL) .*", re.MULTILINE)


@dataclass(frozen=True)
class Window:
    """A fault, as the report sees it."""

    kind: str
    target: str
    at_s: float
    over_s: float
    recovered_s: float
    killed: tuple[int, ...]
    recovered: bool

    @property
    def recovery_s(self) -> float:
        """From the end of the cause until all was well (and five seconds more)."""
        return self.recovered_s - self.over_s


@dataclass(frozen=True)
class Life:
    """One process from its first sample to its last."""

    role: str
    pid: int
    parent: int
    created_s: float
    at_s: np.ndarray
    rss_mb: np.ndarray
    pss_mb: np.ndarray
    warm_up_s: float
    alive: bool
    """In the last sample."""

    @property
    def minutes(self) -> float:
        return float(self.at_s[-1] - self.created_s) / 60

    @property
    def warm(self) -> np.ndarray:
        """Which samples are after the warm-up."""
        return np.asarray(self.at_s >= self.created_s + self.warm_up_s)

    @property
    def judged(self) -> bool:
        warm_s = self.at_s[-1] - self.created_s - self.warm_up_s
        return bool(warm_s >= JUDGED_AFTER_S and self.warm.any())

    def ends_mb(self) -> tuple[float, float]:
        """Resident memory after the warm-up and at the end."""
        at_s, rss_mb = self.at_s[self.warm], self.rss_mb[self.warm]
        first = rss_mb[at_s <= at_s[0] + END_S]
        last = rss_mb[at_s >= at_s[-1] - END_S]
        return float(np.median(first)), float(np.median(last))

    def mb_an_hour(self) -> float:
        """How fast it grew in the second half of its life after the warm-up (Theil-Sen)."""
        half_s = (self.at_s[self.warm][0] + self.at_s[-1]) / 2
        late = self.at_s >= half_s
        slope = theilslopes(self.rss_mb[late], self.at_s[late]).slope
        return float(slope) * 3600

    @property
    def growth(self) -> float:
        """Share of the memory after the warm-up."""
        first, last = self.ends_mb()
        return last / first - 1


@dataclass(frozen=True)
class End:
    """A process that ended before the soak did, and why."""

    role: str
    pid: int
    at_s: float
    cause: str
    """Empty: unexplained."""


class Soak:
    """A folder of samples and faults, read."""

    def __init__(self, folder: Path) -> None:
        self.notes: dict[str, Any] = json.loads((folder / "soak.json").read_text())
        self.samples: Sequence[dict[str, Any]] = read_lines(folder / "samples.jsonl")
        faults = [one for one in read_lines(folder / "faults.jsonl") if "kind" in one]
        self.windows = [Window(**{**one, "killed": tuple(one["killed"])}) for one in faults]
        self.log = (folder / "run.log").read_text(errors="replace")
        self._begins_s = [window.at_s for window in self.windows]

    @property
    def minutes(self) -> float:
        """Between the first and the last sample."""
        return float(self.samples[-1]["at_s"] - self.samples[0]["at_s"]) / 60

    def window_at(self, time_s: float) -> Window | None:
        """The fault within whose window a time is; windows never overlap."""
        number = bisect_left(self._begins_s, time_s) - 1
        if number < 0 or time_s > self.windows[number].recovered_s:
            return None
        return self.windows[number]

    def lives(self) -> list[Life]:
        """All processes that were seen, in the order in which they came."""
        found: dict[tuple[str, int, float], list[tuple[float, dict[str, Any]]]] = defaultdict(list)
        for sample in self.samples:
            for one in sample["processes"]:
                found[one["role"], one["pid"], one["created_s"]].append((sample["at_s"], one))
        last_s = self.samples[-1]["at_s"]
        return [self._life(records, last_s) for records in found.values()]

    def _life(self, records: Sequence[tuple[float, dict[str, Any]]], last_s: float) -> Life:
        one = records[0][1]
        return Life(
            *(one["role"], one["pid"], one["parent"], one["created_s"]),
            at_s=np.array([at_s for at_s, _ in records]),
            rss_mb=np.array([record["rss_mb"] for _, record in records]),
            pss_mb=np.array([record["pss_mb"] for _, record in records]),
            warm_up_s=self.notes["warm_up_s"],
            alive=records[-1][0] == last_s,
        )

    def ends(self) -> list[End]:
        """Processes that ended, each with the fault that explains it."""
        lives = self.lives()
        by_pid = {life.pid: life for life in lives}
        return [
            End(one.role, one.pid, float(one.at_s[-1]), self._cause(one, by_pid))
            for one in lives
            if not one.alive
        ]

    def _cause(self, life: Life, lives: Mapping[int, Life]) -> str:
        above = _forebears(life, lives)
        for window in self.windows:
            if life.pid in window.killed:
                return f"killed ({window.kind})"
            if above & set(window.killed):
                return f"its parent was killed ({window.kind})"
        return self._reader_cause(life) if life.role.startswith("reader") else ""

    def _reader_cause(self, life: Life) -> str:
        """A reader that nobody killed ends with its camera's connection or when that moves."""
        camera, ended_s = life.role.removeprefix("reader "), float(life.at_s[-1])
        for window in reversed(self.windows):
            since_s = ended_s + EVERY_S - window.at_s
            after_s = ended_s - window.recovered_s
            if since_s < 0:
                continue
            if window.kind.startswith("camera") and window.target == camera:
                if after_s <= READERS_FOLLOW_S:
                    return f"its camera failed ({window.kind})"
            elif window.kind in MOVES_CAMERAS and after_s <= GIVEN_BACK_S:
                return f"its camera went to another process ({window.kind})"
        return ""

    def stages_restarted(self) -> Counter[str]:
        """How often `maskwatch run` says that it started a stage again, by stage."""
        return Counter(_ENDED.findall(self.log))

    def errors(self) -> list[str]:
        """Lines of the log that say that something is wrong with Maskwatch itself."""
        return _ERROR.findall(self.log)

    def ages(self, camera: str) -> tuple[np.ndarray, np.ndarray]:
        """When captured (seconds since the epoch) and ages in seconds, outside all windows."""
        pairs = [pair for sample in self.samples for pair in sample["ages"].get(camera, ())]
        outside = [pair for pair in pairs if self.window_at(pair[0]) is None]
        array = np.array(outside or np.empty((0, 2)))
        return array[:, 0], array[:, 1]

    @property
    def cameras(self) -> list[str]:
        return list(self.samples[0]["ages"])

    def outside_s(self) -> float:
        """Seconds that no fault's window covers."""
        within = sum(window.recovered_s - window.at_s for window in self.windows)
        return self.minutes * 60 - within

    def counted(self, camera: str, outside: bool) -> Counter[str]:
        """What the camera's totals rose by between samples outside all windows, or within one."""
        risen = Counter[str]()
        for before, after in zip(self.samples, self.samples[1:], strict=False):
            if not (before["totals"] and after["totals"]):
                continue
            spans_fault = any(
                window.at_s <= after["at_s"] and window.recovered_s >= before["at_s"]
                for window in self.windows
            )
            if spans_fault == outside:
                continue
            risen.update(_difference(before["totals"][camera], after["totals"][camera]))
        return risen


def _difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, int]:
    return {name: round(n - before.get(name, 0.0)) for name, n in after.items()}


def _forebears(life: Life, lives: Mapping[int, Life]) -> set[int]:
    """Process ids of what started it, and what started that."""
    found = {life.parent}
    while (above := lives.get(life.parent)) and above.parent not in found:
        life = above
        found.add(life.parent)
    return found


def recoveries(windows: Iterable[Window]) -> dict[str, list[float]]:
    """Seconds from the end of the cause until all was well, by kind of fault."""
    found: dict[str, list[float]] = defaultdict(list)
    for window in windows:
        found[window.kind].append(window.recovery_s)
    return dict(found)
