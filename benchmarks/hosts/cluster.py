"""Maskwatch on several hosts of one machine: each stage alone in its network namespace."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.hosts.namespaces import Host, Network, network
from benchmarks.hosts.other_clock import other_clock
from benchmarks.system import ROOT, System, wait_until
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.members.leases import Role
from bus.server.embedded import find_redis_server
from contract.cameras.camera import Camera
from contract.errors import MessageError
from contract.people.faces import FrameFaces
from runtime.vault import create_key_file

PORT: Final = 6379
DASHBOARD_PORT: Final = 8000
LOOK_S: Final = 0.02


class Cluster(System):
    """A Redis host and whatever stages are started on others."""

    def __init__(self, hosts: Network, folder: Path, log: IO[bytes]) -> None:
        self._hosts = hosts
        self._folder = folder
        self._log = log
        self._clocks = folder / "clocks"
        self._clocks.mkdir()
        self._names: dict[int, str] = {}
        redis_host = hosts.host("redis")
        server = redis_host.start(self._redis_command(), {}, folder, log)
        url = f"redis://{redis_host.address}:{PORT}/0"
        super().__init__(folder, DASHBOARD_PORT, server, url)
        self._environment = {
            "MASKWATCH_REDIS_URL": url,
            "MASKWATCH_STATE_DIR": str(folder),
            "MASKWATCH_SECRET_KEY_FILE": str(folder / "secret.key"),
            "MASKWATCH_HOST": "0.0.0.0",  # noqa: S104 - of its namespace
            "MASKWATCH_PORT": str(DASHBOARD_PORT),
            "MASKWATCH_INFERENCE_THREADS": "1",
        }
        create_key_file(folder / "secret.key")
        wait_until(self._redis_answers, 20, "Redis on its host", self)

    @property
    def url(self) -> str:
        return f"http://{self._hosts.hosts['dashboard'].address}:{DASHBOARD_PORT}"

    def add(self, name: str, late_ms: float = 0.0) -> Host:
        """Another host, nothing on it yet, so much later to reach."""
        host = self._hosts.host(name)
        if late_ms and not host.delay(late_ms):
            print(f"this kernel has no netem: nothing is late on its way to {name}", flush=True)
        return host

    def start(self, host: Host, stage: str, off_s: float = 0.0) -> None:
        """Run a stage there, with a wall clock that is off by so many seconds."""
        environment = {**self._environment, **other_clock(off_s, self._clocks)}
        process = host.start([sys.executable, "-m", stage], environment, ROOT, self._log)
        self._names[process.pid] = host.name

    def owner(self, role: Role, camera: Camera) -> str:
        """The host that owns a camera now; empty when none does."""
        value = self.redis.get(CameraKeys(camera.id).lease(role))
        return self.host_of(value) if isinstance(value, bytes) else ""

    def host_of(self, lease: bytes) -> str:
        """The host whose process a lease names."""
        member = lease.decode().rpartition(":")[0]
        return self._names[int(member.split("-")[-2])]

    def _redis_answers(self) -> bool:
        try:
            return bool(self.redis.ping())
        except RedisError:
            return False

    def _redis_command(self) -> list[str]:
        options = {
            "port": str(PORT),
            "bind": "0.0.0.0",  # noqa: S104 - of its namespace
            "protected-mode": "no",
            "save": "",
            "dir": str(self._folder),
        }
        parts = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(find_redis_server()), *parts]


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A network with a Redis host; all of it goes at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="cluster-", ignore_cleanup_errors=True) as folder,
        (Path(folder) / "run.log").open("wb") as log,
        network() as hosts,
    ):
        yield Cluster(hosts, Path(folder), log)


@dataclass(frozen=True)
class Tenure:
    """From a moment on, a camera was owned under this lease."""

    at_s: float
    camera_id: str
    lease: bytes
    """Empty: by nobody."""

    @property
    def token(self) -> int:
        return int(self.lease.rpartition(b":")[2] or 0)


class Observer(threading.Thread):
    """Looks fifty times a second who owns each camera and what was analysed last."""

    def __init__(self, redis_url: str, role: Role, cameras: Sequence[Camera]) -> None:
        super().__init__(daemon=True)
        self._redis: Redis = connect(redis_url, "observer")
        self._ids = [camera.id for camera in cameras]
        self._leases = [CameraKeys(one).lease(role) for one in self._ids]
        self._latest = [CameraKeys(one).latest for one in self._ids]
        self._stopped = threading.Event()
        self.tenures: list[Tenure] = []
        self.frames: dict[str, list[FrameFaces]] = {one: [] for one in self._ids}

    def run(self) -> None:
        before: Mapping[str, bytes] = {}
        while not self._stopped.wait(LOOK_S):
            with suppress(RedisError):
                found: Any = self._redis.mget([*self._leases, *self._latest])
                now_s, count = time.time(), len(self._ids)
                leases = {one: raw or b"" for one, raw in zip(self._ids, found, strict=False)}
                changed = [one for one in self._ids if leases[one] != before.get(one)]
                self.tenures += [Tenure(now_s, one, leases[one]) for one in changed]
                before = leases
                for one, raw in zip(self._ids, found[count:], strict=True):
                    self._see(one, raw)

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def taken_after(self, since_s: float, camera_id: str) -> Tenure | None:
        """Who owned the camera first under a new lease after that time."""
        later = (t for t in self.tenures if t.at_s > since_s and t.camera_id == camera_id)
        return next((tenure for tenure in later if tenure.lease), None)

    def _see(self, camera_id: str, raw: bytes | None) -> None:
        with suppress(MessageError):
            faces = FrameFaces.decode(raw) if raw else None
            seen = self.frames[camera_id]
            if faces and (not seen or seen[-1] != faces):
                seen.append(faces)
