"""Runs the whole system for a measurement, exactly as `maskwatch run` does, and looks inside."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import psutil
from redis import Redis

from bus.bus import Bus
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from contract.accounts.grants import EVERYWHERE
from contract.cameras.camera import Camera
from contract.people.faces import FrameFaces
from contract.people.totals import decode_totals
from dashboard.accounts.service import make_accounts
from maskwatch.run import workers_of
from runtime.settings import load_settings
from runtime.stopping import die_with_parent
from runtime.vault import create_key_file

ROOT: Final = Path(__file__).resolve().parents[1]
SHARED: Final = ROOT.parent / "shared"

ROLES: Final = (
    "dashboard",
    "worker",
    "maskwatch jobs",
    "maskwatch images",
    "maskwatch recordings",
    "maskwatch alerts",
    "ingest",
)


def clip(name: str) -> Path:
    """Return a real clip's path; end with a reason where the clips are not."""
    path = SHARED / "video" / name
    if not path.is_file():
        raise SystemExit(f"needs the clip {name} in ../shared/video beside the project")
    return path


class System:
    """A running `maskwatch run`."""

    def __init__(
        self,
        state_dir: Path,
        port: int,
        process: subprocess.Popen[bytes],
        redis_url: str | None = None,
        workers: int = 0,
    ) -> None:
        """`workers`: how many it starts, sooner or later."""
        self._port = port
        self._workers = workers
        self.process = process
        self.log = state_dir / "run.log"
        url = redis_url or EmbeddedRedis(state_dir / "redis").url
        self.redis: Redis = connect(url, "benchmark")
        self._key = ""

    @property
    def url(self) -> str:
        """Where the dashboard is."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def key(self) -> str:
        """An administrator's API key, made at the first use."""
        if not self._key:
            store = make_accounts(Bus(self.redis)).api_keys
            name = f"benchmark {len(store.all()) + 1}"
            _, self._key = store.add(name, {EVERYWHERE: "administrator"}, 1, "benchmark")
        return self._key

    def authorization(self) -> dict[str, str]:
        """The header that the dashboard lets programs in by."""
        return {"Authorization": f"Bearer {self.key}"}

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON answer of the HTTP API."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **self.authorization()},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def get(self, path: str) -> bytes:
        """Return the body of a page."""
        request = urllib.request.Request(self.url + path, headers=self.authorization())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read())

    def healthy(self) -> bool:
        """Whether `/healthz` says so."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return bool(json.loads(answer.read()))
        except OSError:
            return False

    def complete(self) -> bool:
        """Whether all its workers are there: all but the first come after the first picture."""
        with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
            return int(json.loads(answer.read())["workers"]) >= self._workers

    def answers(self) -> bool:
        """Whether the dashboard answers anything at all."""
        try:
            with socket.create_connection(("127.0.0.1", self._port), 1):
                return True
        except OSError:
            return False

    def cameras(self) -> list[Camera]:
        return CameraRegistry(self.redis).all()

    def totals(self, camera: Camera) -> dict[str, float]:
        """The camera's totals in Redis."""
        raw: Any = self.redis.hgetall(CameraKeys(camera.id).totals)
        return decode_totals(raw)

    def latest(self, camera: Camera) -> FrameFaces | None:
        """The newest analysed frame's faces."""
        raw = self.redis.get(CameraKeys(camera.id).latest)
        return FrameFaces.decode(raw) if raw else None

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Running processes by what they do."""
        found: dict[str, list[psutil.Process]] = {}
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                found.setdefault(_role(process), []).append(process)
            except psutil.Error:
                continue
        return found


def _role(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    if "redis-server" in command:
        return "redis"
    for role in ROLES:
        if f"-m {role}" in command:
            return role
    parent = process.parent()
    return f"{_role(parent)} child" if parent and parent.pid != os.getpid() else "other"


@contextmanager
def running_system(
    environment: dict[str, str] | None = None,
    redis_url: str | None = None,
    checkout: Path = ROOT,
) -> Iterator[System]:
    """Start everything with an empty state folder on a free port; stop it at the end.

    `redis_url` is how the measurement reaches a Redis that the environment names for the system.
    `checkout` is whose code runs.
    """
    with tempfile.TemporaryDirectory(prefix="maskwatch-", ignore_cleanup_errors=True) as folder:
        state_dir, port = Path(folder), free_port()
        settings = {
            "MASKWATCH_STATE_DIR": str(state_dir),
            "MASKWATCH_PORT": str(port),
            "CAMERAS": "",
            **(environment or {}),
        }
        process = _start(["maskwatch", "run"], state_dir, settings, checkout)
        workers = workers_of(load_settings({**os.environ, **settings}))
        system = System(state_dir, port, process, redis_url, workers)
        try:
            wait_until(system.healthy, 60, "the system to be healthy", system)
            yield system
        finally:
            _end(process)


@contextmanager
def running_dashboard(
    environment: dict[str, str] | None = None, checkout: Path = ROOT
) -> Iterator[System]:
    """Start a dashboard alone over a Redis of its own: nothing is read, analysed or probed.

    `checkout` is whose code runs.
    """
    with tempfile.TemporaryDirectory(prefix="maskwatch-", ignore_cleanup_errors=True) as folder:
        state_dir, port = Path(folder), free_port()
        create_key_file(state_dir / "secret.key")
        server = EmbeddedRedis(state_dir / "redis")
        server.start()
        settings = {
            "MASKWATCH_REDIS_URL": server.url,
            "MASKWATCH_STATE_DIR": str(state_dir),
            "MASKWATCH_PORT": str(port),
            **(environment or {}),
        }
        process = _start(["dashboard"], state_dir, settings, checkout)
        system = System(state_dir, port, process)
        try:
            wait_until(system.answers, 60, "the dashboard to answer", system)
            yield system
        finally:
            _end(process)
            server.stop()


def _start(
    module: list[str], state_dir: Path, settings: dict[str, str], checkout: Path
) -> subprocess.Popen[bytes]:
    """Start a module of ours with its arguments; it writes to `run.log` in the state folder."""
    with (state_dir / "run.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", *module],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout), **settings},
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process, one that an attack keeps from hearing SIGTERM too."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(
    condition: Callable[[], object], timeout_s: float, what: str, system: System | None = None
) -> float:
    """Return the seconds until `condition` holds; end with the log's end if it never does."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout_s:
            tail = system.log.read_text(errors="replace")[-3000:] if system else ""
            raise SystemExit(f"waited {timeout_s:.0f} s in vain for {what}\n{tail}")
        time.sleep(0.05)
    return time.monotonic() - started


_ports_held: Final[list[IO[bytes]]] = []


def free_port() -> int:
    """A TCP port nobody listens on, given to nobody else who asks here while this process lives.

    The system gives a port again as soon as its probe is closed; tests that run side by side
    would now and then be given the same one before either listens.
    """
    folder = Path(tempfile.gettempdir()) / f"maskwatch-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        held = (folder / str(port)).open("wb")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.close()
        else:
            _ports_held.append(held)
            return port


def print_result(result: str, figure: object, unit: str, target: str, met: bool) -> None:
    """Print one result as a line of JSON."""
    print(
        json.dumps(
            {"result": result, "figure": figure, "unit": unit, "target": target, "met": met}
        ),
        flush=True,
    )


def machine() -> str:
    """The machine in a few words."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    return f"{os.cpu_count()} cores of {model}, Python {sys.version.split()[0]}"
