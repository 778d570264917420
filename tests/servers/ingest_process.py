"""An ingest process under test, and what can be seen of it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from bus.keys import CameraKeys
from bus.stores.status import StatusStore
from contract.cameras.camera import Camera
from contract.cameras.status import CameraStatus
from contract.people.totals import decode_totals
from tests.secret_key import key_file

QUICK = {
    "MASKWATCH_OPEN_TIMEOUT_S": "2",
    "MASKWATCH_READ_TIMEOUT_S": "2",
    "MASKWATCH_RECONNECT_MAX_S": "1",
    "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
}


class IngestProcess:
    """`python -m ingest` as a child process."""

    def __init__(
        self, redis_url: str, module: str = "ingest", settings: Mapping[str, str] = QUICK
    ) -> None:
        environment = {**os.environ, **settings, "MASKWATCH_REDIS_URL": redis_url}
        self._process = subprocess.Popen([sys.executable, "-m", module], env=environment)

    @property
    def pid(self) -> int:
        return self._process.pid

    def family(self) -> set[int]:
        """Process ids of this process and all it started."""
        return {self.pid, *_descendants(self.pid)}

    def reader(self, camera: Camera) -> int | None:
        """Process id of a camera's reader."""
        name = f"cam{camera.id}"[:15]
        found = [pid for pid in _descendants(self.pid) if _read(pid, "comm").strip() == name]
        return found[0] if found else None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it as a service manager would; return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def end(self) -> None:
        if self._process.poll() is None:
            self.stop()


@contextmanager
def ingest_process(redis_url: str, settings: Mapping[str, str] = QUICK) -> Iterator[IngestProcess]:
    process = IngestProcess(redis_url, settings=settings)
    try:
        yield process
    finally:
        process.end()


def eventually(condition: Callable[[], object], timeout_s: float = 30.0) -> bool:
    """Whether `condition` becomes true in time."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def status(redis: Redis, camera: Camera) -> CameraStatus:
    return StatusStore(redis).read([camera])[camera.id]


def totals(redis: Redis, camera: Camera) -> dict[str, float]:
    return decode_totals(redis.hgetall(CameraKeys(camera.id).totals))


def published(redis: Redis, camera: Camera) -> float:
    return totals(redis, camera).get("frames:published", 0.0)


def gone(pids: set[int]) -> bool:
    """Whether none of the processes runs any more; a zombie does not."""
    return not any(_parent_and_state(pid)[1] not in "ZX" for pid in pids)


def _descendants(pid: int) -> set[int]:
    parents = {
        int(entry.name): _parent_and_state(int(entry.name))[0]
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
    }
    found: set[int] = set()
    rest = {pid}
    while rest:
        rest = {child for child, parent in parents.items() if parent in rest}
        found |= rest
    return found


def _parent_and_state(pid: int) -> tuple[int, str]:
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return (int(fields[1]), fields[0]) if fields else (0, "X")


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
