"""What a soak does to a running system, at random but repeatably, and when it has recovered."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil
from redis.exceptions import RedisError

from benchmarks.failover import all_fresh
from benchmarks.hosts.slow_link import SlowLink
from benchmarks.system import System
from bus.members.members import Membership
from bus.server.embedded import EmbeddedRedis
from contract.cameras.camera import Camera
from tests.servers.rtsp import RtspServer

BETWEEN_S: Final = (20.0, 45.0)
"""Left alone between a recovery and the next fault."""
CAMERA_AWAY_S: Final = (4.0, 20.0)
REDIS_PAUSED_S: Final = 3.0
LINK_SLOW_S: Final = 15.0
LINK_LATE_S: Final = 0.04
LINK_BYTES_A_SECOND: Final = 20e6
STEADY_S: Final = 5.0
"""Recovered is who has been well for so long."""
GIVEN_UP_AFTER_S: Final = 120.0
LEASE_S: Final = 2.0
READER: Final = "ingest child child"
"""Readers are forked by a process that each ingest process has for that."""
EARLY_SHARE: Final = 0.4
EARLY_ONLY: Final = frozenset({"redis killed", "dashboard killed"})
"""There is one of each: left alone from `EARLY_SHARE` of the time on, so that its memory is seen to
stay over a long time. Of workers and ingest processes one each is never killed."""


@dataclass(frozen=True)
class Fault:
    """One thing that was done, and its window: from `at_s` to `recovered_s`."""

    kind: str
    target: str
    at_s: float
    over_s: float
    """When its cause was gone."""
    recovered_s: float
    """When every camera had new analysed frames and every process was there, for `STEADY_S`."""
    killed: tuple[int, ...] = ()
    recovered: bool = True


@dataclass(frozen=True)
class Rig:
    """What faults are done to."""

    system: System
    cameras: Sequence[Camera]
    servers: Mapping[str, RtspServer]
    redis: EmbeddedRedis
    link: SlowLink
    lock: threading.Lock
    """Held while Redis is killed and started, so that nobody else starts it."""


class Injector:
    """Draws faults from a deck of all kinds, shuffled anew when it is used up."""

    def __init__(self, rig: Rig, seed: int, notes: Path) -> None:
        self._rig = rig
        self._dice = random.Random(seed)  # noqa: S311 - not a secret
        self._notes = notes
        self._deck: list[str] = []
        self._spared = {role: self._running(role)[0] for role in ("worker", "ingest")}
        self._kinds: dict[str, Callable[[], tuple[str, tuple[int, ...]]]] = {
            "camera killed": self._kill_camera,
            "camera paused": self._pause_camera,
            "worker killed": lambda: self._kill("worker"),
            "ingest killed": lambda: self._kill("ingest"),
            "reader killed": lambda: self._kill(READER),
            "dashboard killed": lambda: self._kill("dashboard"),
            "redis killed": self._kill_redis,
            "redis paused": self._pause_redis,
            "redis slow": self._slow_link,
        }

    def run(self, seconds: float) -> None:
        """Inject faults for so long; each is noted when it begins and when it is over."""
        began_s = time.time()
        ends_s = began_s + seconds
        while (pause_s := self._dice.uniform(*BETWEEN_S)) < ends_s - time.time() - STEADY_S:
            time.sleep(pause_s)
            kind = self._draw(early=time.time() < began_s + EARLY_SHARE * seconds)
            self._inject(kind)
        time.sleep(max(0.0, ends_s - time.time()))

    def _draw(self, early: bool) -> str:
        allowed = [kind for kind in self._kinds if early or kind not in EARLY_ONLY]
        self._deck = [kind for kind in self._deck if kind in allowed]
        if not self._deck:
            self._deck = self._dice.sample(allowed, len(allowed))
        return self._deck.pop()

    def _inject(self, kind: str) -> None:
        at_s, there = time.time(), self._counts()
        self._note({"began": kind, "at_s": at_s})
        target, killed = self._kinds[kind]()
        over_s = time.time()
        recovered = self._await_recovery(over_s, there)
        fault = Fault(kind, target, at_s, over_s, time.time(), killed, recovered)
        self._note(asdict(fault))
        print(
            f"{kind:16} {target:18} gone after {over_s - at_s:5.1f} s, "
            f"{'well' if recovered else 'NOT WELL'} after {fault.recovered_s - at_s:5.1f} s",
            flush=True,
        )

    def _note(self, record: Mapping[str, object]) -> None:
        with self._notes.open("a") as notes:
            notes.write(json.dumps(record) + "\n")

    def _await_recovery(self, over_s: float, there: Mapping[str, int]) -> bool:
        well_since_s, captured_after_s = None, over_s
        while (now_s := time.time()) < over_s + GIVEN_UP_AFTER_S:
            if not self._well(captured_after_s, there):
                well_since_s = None
            elif well_since_s is None:
                well_since_s = now_s
            elif now_s - well_since_s >= STEADY_S:
                return True
            # Once well, pictures must go on coming.
            captured_after_s = max(over_s, now_s - 1.5) if well_since_s else over_s
            time.sleep(0.25)
        return False

    def _well(self, captured_after_s: float, there: Mapping[str, int]) -> bool:
        rig = self._rig
        if not all_fresh(rig.system, list(rig.cameras), captured_after_s):
            return False
        counts = self._counts()
        return all(counts[role] >= n for role, n in there.items()) and rig.system.answers()

    def _counts(self) -> dict[str, int]:
        """Members that have joined, not only begun, and the dashboard's processes."""
        roles = [Membership(self._rig.system.redis, role, LEASE_S) for role in ("worker", "ingest")]
        try:
            joined = [len(role.live()) for role in roles]
        except RedisError:
            joined = [0, 0]
        dashboards = len(self._running("dashboard"))
        return {"worker": joined[0], "ingest": joined[1], "dashboard": dashboards}

    def _running(self, role: str) -> list[psutil.Process]:
        found = []
        for process in self._rig.system.processes().get(role, []):
            with suppress(psutil.Error):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return sorted(found, key=lambda process: process.pid)

    def _kill(self, role: str) -> tuple[str, tuple[int, ...]]:
        victims = [one for one in self._running(role) if one != self._spared.get(role)]
        if not victims:
            return "nobody there", ()
        victim = self._dice.choice(victims)
        with suppress(psutil.NoSuchProcess):
            victim.kill()
        return f"{role} {victim.pid}", (victim.pid,)

    def _kill_camera(self) -> tuple[str, tuple[int, ...]]:
        name = self._dice.choice(sorted(self._rig.servers))
        self._rig.servers[name].kill()
        time.sleep(self._dice.uniform(*CAMERA_AWAY_S))
        self._rig.servers[name].start()
        return name, ()

    def _pause_camera(self) -> tuple[str, tuple[int, ...]]:
        name = self._dice.choice(sorted(self._rig.servers))
        _pause(self._rig.servers[name].pid, self._dice.uniform(*CAMERA_AWAY_S))
        return name, ()

    def _kill_redis(self) -> tuple[str, tuple[int, ...]]:
        with self._rig.lock:
            pid = self._rig.redis.pid
            os.kill(pid, signal.SIGKILL)
            while self._rig.redis.alive():
                time.sleep(0.01)
            self._rig.redis.start()
        return "its data read again", (pid,)

    def _pause_redis(self) -> tuple[str, tuple[int, ...]]:
        _pause(self._rig.redis.pid, REDIS_PAUSED_S)
        return f"for {REDIS_PAUSED_S:g} s", ()

    def _slow_link(self) -> tuple[str, tuple[int, ...]]:
        self._rig.link.slow_down(LINK_LATE_S, LINK_BYTES_A_SECOND)
        time.sleep(LINK_SLOW_S)
        self._rig.link.slow_down(0, 0)
        return f"{2000 * LINK_LATE_S:g} ms longer", ()


def look_after(rig: Rig, stop: threading.Event) -> None:
    """Do for Redis what `maskwatch run` does for its own, until told to stop."""
    while not stop.wait(0.2):
        with rig.lock, suppress(RedisError):
            if rig.redis.alive():
                rig.redis.compact()


def _pause(pid: int, seconds: float) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)
