"""`maskwatch run`: the whole system, with real networks and demo cameras."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import RedisError

from benchmarks.system import free_port
from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis
from tests.accounts import make_key

ROOT = Path(__file__).resolve().parents[2]


class Running:
    """A `maskwatch run` with a state folder of its own."""

    def __init__(
        self,
        state_dir: Path,
        cameras: str = "",
        redis_url: str = "",
        processes: int = 1,
        checkout: Path = ROOT,
        **environment: str,
    ) -> None:
        """`checkout`: whose code runs. `environment`: variables beside the settings."""
        self.port = free_port()
        self.log_path = state_dir / "run.log"
        self._redis_url = redis_url or EmbeddedRedis(state_dir / "redis").url
        self._key = ""
        state_dir.mkdir(exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "maskwatch", "run"],
                cwd=checkout,
                env={
                    **os.environ,
                    **environment,
                    "MASKWATCH_STATE_DIR": str(state_dir),
                    "MASKWATCH_PORT": str(self.port),
                    "MASKWATCH_REDIS_URL": redis_url,
                    "MASKWATCH_WORKERS": str(processes),
                    "MASKWATCH_INGESTS": str(processes),
                    "CAMERAS": cameras,
                },
                stdout=log,
                stderr=log,
            )

    def get(self, path: str) -> bytes:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers=self.authorization()
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bytes(answer.read())

    def authorization(self) -> dict[str, str]:
        """An administrator's key, as `maskwatch api-key add` makes them."""
        if not self._key:
            try:
                self._key = make_key(connect(self._redis_url))
            except RedisError:
                return {}  # it has not started yet
        return {"Authorization": f"Bearer {self._key}"}

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))

    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, condition: Callable[[], object], what: str, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.1)
        pytest.fail(f"waited in vain for {what}; the log ends:\n{self.log()[-3000:]}")

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(cameras: str = "", redis_url: str = "", processes: int = 1) -> Running:
        started.append(Running(tmp_path / "state", cameras, redis_url, processes))
        return started[-1]

    yield begin
    for running in started:
        running.end()


def test_demo_cameras_are_live_analysed_counted_and_gone_without_a_trace(
    start: Callable[..., Running],
) -> None:
    running = start()
    running.wait_for(lambda: running.get("/healthz"), "health")
    cameras = running.json("/api/v1/cameras")["cameras"]
    assert len(cameras) == 4
    for camera in cameras:
        faces = f"/api/v1/cameras/{camera['id']}/faces"
        running.wait_for(lambda path=faces: running.json(path)["faces"], f"faces at {faces}")
    picture = f"/cameras/{cameras[0]['id']}/snapshot.jpg"
    running.wait_for(lambda: running.get(picture)[:3] == b"\xff\xd8\xff", "a fresh picture")
    metrics = running.get("/metrics").decode()
    assert 'maskwatch_camera_up{camera="Demo concourse"} 1.0' in metrics
    family = running.family()
    assert len(family) > 5
    running.end()
    assert running.process.returncode == 0
    _, left = psutil.wait_procs(family, timeout=20)
    # What has ended but nobody has asked about yet is still listed; it runs no more.
    assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []


def test_cameras_and_counts_are_there_again_after_a_restart(
    start: Callable[..., Running],
) -> None:
    first = start("hall=demo:seed=5")
    first.wait_for(lambda: analysed(first) > 20, "20 analysed frames")
    os.sync()  # a busy disk would hold up the append-only file ...
    time.sleep(1.2)  # ... which is flushed every second
    before = analysed(first)
    first.end()
    second = start()
    second.wait_for(lambda: analysed(second) > before - 10, "the counts of before")
    assert [camera["name"] for camera in second.json("/api/v1/cameras")["cameras"]] == ["hall"]


def test_a_redis_that_is_not_there_yet_is_named_and_waited_for(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    running = start("hall=demo:seed=5", server.url)
    running.wait_for(lambda: "cannot be reached" in running.log(), "a message")
    server.start()
    try:
        running.wait_for(lambda: analysed(running) > 5, "analysed frames")
        running.end()
    finally:
        server.stop()


IN_FLIGHT = 20
"""Frames that may be on their way for one camera: its stream, a batch, a reader's outbox."""


@pytest.mark.parametrize("role", ["worker", "ingest", "redis-server"])
def test_a_killed_process_costs_no_camera_and_no_frame_goes_uncounted(
    start: Callable[..., Running], role: str
) -> None:
    running = start("hall=demo:seed=5 gate=demo:seed=6", processes=2)
    names = ("hall", "gate")
    running.wait_for(lambda: all(analysed(running, name) > 10 for name in names), "both cameras")
    os.sync()  # a busy disk would hold up the append-only file ...
    time.sleep(1.2)  # ... which is flushed every second
    family = running.family()
    victim = next(one for one in family if is_role(one, role))
    bystanders = [one for one in family if one.pid != victim.pid and main_process(one)]
    before = {name: analysed(running, name) for name in names}
    victim.kill()
    running.wait_for(
        lambda: all(analysed(running, name) > before[name] + 20 for name in names),
        f"both cameras after the {role} was killed",
    )
    assert [one for one in bystanders if not one.is_running()] == []
    for name in names:
        samples = samples_of(running, name)
        counted = samples["analysed"] + samples["dropped"]
        assert counted <= samples["captured"] <= counted + IN_FLIGHT


def is_role(process: psutil.Process, role: str) -> bool:
    command = process.cmdline()
    return command[-2:] == ["-m", role] or role in command[0]


def main_process(process: psutil.Process) -> bool:
    """Whether the process is a stage or Redis, not a child that comes and goes with one."""
    return any(is_role(process, role) for role in ("worker", "ingest", "redis-server"))


def analysed(running: Running, camera: str = "hall") -> float:
    return samples_of(running, camera).get("analysed", 0.0)


def samples_of(running: Running, camera: str) -> dict[str, float]:
    """A camera's frames by stage, and all that were dropped."""
    found: dict[str, float] = {"dropped": 0.0}
    for family in text_string_to_metric_families(running.get("/metrics").decode()):
        for sample in family.samples:
            if sample.labels.get("camera") != camera:
                continue
            if sample.name == "maskwatch_frames_total":
                found[sample.labels["stage"]] = sample.value
            elif sample.name == "maskwatch_frames_dropped_total":
                found["dropped"] += sample.value
    return found


def test_a_wrong_setting_ends_at_once_with_its_name() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "maskwatch", "run"],
        cwd=ROOT,
        env={**os.environ, "MASKWATCH_WORKRS": "2"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2
    assert "Did you mean MASKWATCH_WORKERS?" in ended.stderr
