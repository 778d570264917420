"""The real server process, over a real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError

from benchmarks.system import free_port
from bus.connection.client import connect
from bus.members.members import Membership
from bus.server.embedded import EmbeddedRedis
from dashboard.live.mjpeg import BOUNDARY
from dashboard.live.wall_records import decode_records
from tests.accounts import make_key
from tests.integration.test_dashboard_hub import FakeCamera, Feed, eventually
from tests.secret_key import key_file

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """`python -m dashboard` on the loopback, by default on a free port."""

    def __init__(self, redis_url: str, port: int | None = None, **more: str) -> None:
        self.port = port or free_port()
        self._redis_url = redis_url
        settings = {
            "MASKWATCH_REDIS_URL": redis_url,
            "MASKWATCH_PORT": str(self.port),
            "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
            **{f"MASKWATCH_{name.upper()}": value for name, value in more.items()},
        }
        others = {k: v for k, v in os.environ.items() if not k.startswith("MASKWATCH_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dashboard"],
            cwd=ROOT,
            env=others | settings,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def open(self, path: str) -> HTTPResponse:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path, headers=self.authorization())
        return connection.getresponse()

    def authorization(self) -> dict[str, str]:
        """An administrator's key, made anew: each test begins with an empty Redis."""
        try:
            key = make_key(connect(self._redis_url))
        except RedisError:
            key = "mw_none_while-redis-is-away"
        return {"Authorization": f"Bearer {key}"}

    def json(self, path: str) -> Any:
        request = urllib.request.Request(self.url + path, headers=self.authorization())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def read_until(answer: HTTPResponse, wanted: bytes) -> bytes:
    received = b""
    while wanted not in received:
        chunk = answer.read1(65536)
        assert chunk, "the stream ended"
        received += chunk
    return received


def test_streams_and_the_api_are_served_side_by_side_and_end_on_sigterm(
    server: Server, redis: Redis
) -> None:
    cameras = [FakeCamera(redis, f"Gate {n}") for n in range(8)]
    Membership(redis, "worker", 60).beat("w1")
    with Feed(*cameras):
        viewers = [server.open(f"/cameras/{camera.id}/stream.mjpg") for camera in cameras]
        for viewer in viewers:
            assert b"image/jpeg" in read_until(viewer, b"\xff\xd9\r\n--" + BOUNDARY.encode())
        wall = server.open("/wall/stream?cameras=" + ",".join(c.id for c in cameras))
        seen, rest = set(), b""
        while len(seen) < len(cameras):
            records, rest = decode_records(rest + wall.read1(65536))
            seen |= {head["camera"] for head, _ in records if head["type"] == "picture"}
        assert len(server.json("/api/v1/cameras")["cameras"]) == 8
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)
    assert server.process.returncode == 0
    assert server.process.stderr is not None
    assert "Traceback" not in server.process.stderr.read()


def test_a_request_that_is_logged_costs_no_more_than_its_length(server: Server) -> None:
    """A request line without an HTTP version is logged, and so redacted."""

    def cpu_s(length: int) -> float:
        packet = (b"GET http://h/" + b"?key" * length)[:length] + b"\r\n\r\n"
        best = float("inf")
        for _ in range(3):
            begin_s = cpu_seconds_of(server.process.pid)
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", server.port), 5) as stranger:
                    stranger.settimeout(60)
                    stranger.sendall(packet)
                    assert b"400" in stranger.recv(65536)
            best = min(best, cpu_seconds_of(server.process.pid) - begin_s)
        return best

    assert server.json("/api/v1/cameras")["cameras"] == []
    once, more = cpu_s(2000), cpu_s(8000)
    # The system counts in hundredths of a second; less than ten of them is chance.
    assert max(more, 0.1) / max(once, 0.1) <= 6


def cpu_seconds_of(pid: int) -> float:
    """What a process and its children used so far."""
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def test_a_viewer_who_hangs_up_frees_the_camera(server: Server, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit()
    viewer = server.open(f"/cameras/{camera.id}/stream.mjpg")
    read_until(viewer, b"\xff\xd9")
    assert eventually(lambda: blocked(redis) == 1)
    viewer.close()
    assert eventually(lambda: blocked(redis) == 0), "the hub still reads"


def test_a_viewer_who_never_reads_delays_nobody(server: Server, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    with Feed(camera):
        server.open(f"/cameras/{camera.id}/stream.mjpg")
        quick = server.open(f"/cameras/{camera.id}/stream.mjpg")
        for _ in range(5):
            read_until(quick, b"\xff\xd9")


def test_the_dashboard_outlives_its_redis(tmp_path: Path) -> None:
    redis_server = EmbeddedRedis(tmp_path)
    server = Server(redis_server.url)
    try:
        assert eventually(server.answers, 30)
        assert server.open("/api/v1/cameras").status == 503
        redis_server.start()
        assert eventually(lambda: server.open("/api/v1/cameras").status == 200)
        redis_server.stop()
        assert eventually(lambda: server.open("/api/v1/cameras").status == 503)
        redis_server.start()
        assert eventually(lambda: server.open("/api/v1/cameras").status == 200)
    finally:
        server.stop()
        redis_server.stop()


def test_without_a_redis_url_it_says_what_to_set() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MASKWATCH_")}
    ended = subprocess.run(
        [sys.executable, "-m", "dashboard"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "MASKWATCH_REDIS_URL" in ended.stderr


def blocked(redis: Redis) -> int:
    return int(redis.info("clients")["blocked_clients"])
