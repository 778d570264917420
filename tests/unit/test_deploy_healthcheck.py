"""What a container says of its own health."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from redis import Redis

from bus.members.members import Membership

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 60.0


def check(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MASKWATCH_")}
    return subprocess.run(
        [sys.executable, str(ROOT / "deploy" / "healthcheck.py"), *arguments],
        env={**inherited, "PYTHONPATH": str(ROOT), "MASKWATCH_LEASE_S": str(LEASE_S), **settings},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def web_server() -> Iterator[HTTPServer]:
    """A server that answers every path with the status in its `status`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(self.server.status)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("role", ["ingest", "worker", "jobs", "images", "recordings", "alerts"])
def test_a_process_that_beats_is_well(role: str, redis: Redis, redis_url: str) -> None:
    Membership(redis, role, LEASE_S).beat(f"{socket.gethostname()}-7-c0ffee")
    done = check(role, MASKWATCH_REDIS_URL=redis_url)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("other", ["elsewhere", f"{socket.gethostname()}2"])
def test_another_hosts_heartbeat_does_not_make_this_one_well(
    redis: Redis, redis_url: str, other: str
) -> None:
    Membership(redis, "worker", LEASE_S).beat(f"{other}-7-c0ffee")
    done = check("worker", MASKWATCH_REDIS_URL=redis_url)
    assert done.returncode == 1
    assert "no heartbeat" in done.stderr
    assert f"{other}-7-c0ffee" in done.stderr


def test_a_missing_redis_is_named_without_its_password() -> None:
    done = check("ingest", MASKWATCH_REDIS_URL="redis://:s3cret@127.0.0.1:1/0")
    assert done.returncode == 1
    assert "127.0.0.1:1 cannot be reached" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_process_is_not_started_anew_because_redis_is_away() -> None:
    done = check("ingest", "--alive", MASKWATCH_REDIS_URL="redis://127.0.0.1:1/0")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_process_that_does_not_beat_is_not_alive(redis: Redis, redis_url: str) -> None:
    assert check("ingest", "--alive", MASKWATCH_REDIS_URL=redis_url).returncode == 1
    Membership(redis, "ingest", LEASE_S).beat(f"{socket.gethostname()}-7-c0ffee")
    assert check("ingest", "--alive", MASKWATCH_REDIS_URL=redis_url).returncode == 0


@pytest.mark.parametrize(("status", "outcome"), [(200, 0), (503, 0), (500, 1)])
def test_the_dashboard_is_well_while_it_answers_even_that_others_are_away(
    web_server: HTTPServer, status: int, outcome: int
) -> None:
    web_server.status = status  # type: ignore[attr-defined]
    done = check("dashboard", MASKWATCH_PORT=str(web_server.server_port))
    assert done.returncode == outcome, done.stderr


def test_a_dashboard_that_does_not_listen_is_not_well() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        done = check("dashboard", MASKWATCH_PORT=str(unused.getsockname()[1]))
    assert done.returncode == 1
    assert "/healthz" in done.stderr
