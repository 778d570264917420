"""What a soak writes down every few seconds: memory, ages, frames, drops, Redis; as lines of JSON.

A line is written as it is taken, so that whatever ends a soak, all before that is there.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
from redis.exceptions import RedisError

from benchmarks.soak.faults import READER, Rig
from benchmarks.soak.viewers import Audience
from bus.keys import CameraKeys
from contract.cameras.camera import Camera
from contract.errors import MessageError
from contract.people.faces import FrameFaces

EVERY_S: Final = 5.0
LOOK_S: Final = 0.02


class Ages(threading.Thread):
    """Age of every analysed frame, capture to committed, through any outage of Redis."""

    def __init__(self, rig: Rig) -> None:
        super().__init__(daemon=True)
        self._redis = rig.system.redis
        self._cameras = {camera.name: CameraKeys(camera.id).latest for camera in rig.cameras}
        self._newest: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self._seen: dict[str, list[tuple[float, float]]] = {name: [] for name in self._cameras}
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(LOOK_S):
            with suppress(RedisError):
                found: Any = self._redis.mget(list(self._cameras.values()))
                for name, raw in zip(self._cameras, found, strict=True):
                    if raw and raw != self._newest.get(name):
                        self._newest[name] = raw
                        self._note(name, raw)

    def take(self) -> dict[str, list[tuple[float, float]]]:
        """When captured and how old at the commit, in seconds, since the last taking."""
        with self._lock:
            taken, self._seen = self._seen, {name: [] for name in self._cameras}
        return taken

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _note(self, name: str, raw: bytes) -> None:
        with suppress(MessageError):
            faces = FrameFaces.decode(raw)
            age_s = faces.analysed_at_s - faces.captured_at_s
            with self._lock:
                self._seen[name].append((round(faces.captured_at_s, 3), round(age_s, 4)))


class Sampler(threading.Thread):
    """Writes a sample every five seconds, and what the system logs."""

    def __init__(self, rig: Rig, audience: Audience, folder: Path) -> None:
        super().__init__(daemon=True)
        self._rig = rig
        self._audience = audience
        self._samples = folder / "samples.jsonl"
        self._log = folder / "run.log"
        self._ages = Ages(rig)
        self._stopped = threading.Event()

    def run(self) -> None:
        self._ages.start()
        due_s = time.monotonic()
        while not self._stopped.wait(max(0.0, due_s - time.monotonic())):
            due_s += EVERY_S
            self._write()

    def stop(self) -> None:
        """Take a last sample and end."""
        self._stopped.set()
        self.join()
        self._ages.stop()
        self._write()

    def _write(self) -> None:
        sample = {
            "at_s": round(time.time(), 3),
            "processes": process_records(self._rig),
            "redis": self._redis(),
            "totals": self._totals(),
            "ages": self._ages.take(),
            "viewers": self._audience.counts(),
        }
        with self._samples.open("a") as out:
            out.write(json.dumps(sample) + "\n")
        self._copy_log()

    def _copy_log(self) -> None:
        done = self._log.stat().st_size if self._log.exists() else 0
        with self._rig.system.log.open("rb") as log, self._log.open("ab") as copy:
            log.seek(done)
            copy.write(log.read())

    def _redis(self) -> dict[str, float] | None:
        try:
            info: Any = self._rig.system.redis.info()
            keys: Any = self._rig.system.redis.dbsize()
        except RedisError:
            return None
        named = ("used_memory", "used_memory_dataset", "allocator_active", "connected_clients")
        return {"keys": keys, **{name: float(info.get(name, 0)) for name in named}}

    def _totals(self) -> dict[str, dict[str, float]] | None:
        try:
            return {one.name: self._frames(one) for one in self._rig.cameras}
        except RedisError:
            return None

    def _frames(self, camera: Camera) -> dict[str, float]:
        totals = self._rig.system.totals(camera).items()
        begins = ("frames:", "dropped:", "people:", "refused:")
        return {field: n for field, n in totals if field.startswith(begins)}


def process_records(rig: Rig) -> list[dict[str, Any]]:
    """Every process of the system with its memory; short-lived children of jobs are left out."""
    redis = [psutil.Process(rig.redis.pid)] if rig.redis.alive() else []
    found = [("redis", process) for process in redis]
    for role, processes in rig.system.processes().items():
        if role.startswith("maskwatch") and role.endswith("child"):
            continue
        found += [(role.removeprefix("maskwatch "), process) for process in processes]
    cameras = {f"cam{camera.id}"[:15]: camera.name for camera in rig.cameras}
    records = [_record(role, process, cameras) for role, process in found]
    return [record for record in records if record]


def _record(
    role: str, process: psutil.Process, cameras: Mapping[str, str]
) -> dict[str, Any] | None:
    try:
        with process.oneshot():
            memory = process.memory_full_info()
            camera = cameras.get(process.name()) if role == READER else None
            return {
                "role": f"reader {camera}" if camera else role,
                "pid": process.pid,
                "parent": process.ppid(),
                "created_s": process.create_time(),
                "rss_mb": round(memory.rss / 1e6, 3),
                "pss_mb": round(memory.pss / 1e6, 3),
                "cpu_s": round(sum(process.cpu_times()[:2]), 2),
            }
    except psutil.Error:
        return None


def read_lines(path: Path) -> Sequence[dict[str, Any]]:
    """The records of a file of JSON lines; a last line cut off in the middle is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found
