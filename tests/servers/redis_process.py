"""A redis-server of a test's own on a TCP port: killed, full, a replica, with a password."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from bus.connection.client import connect
from bus.server.embedded import find_redis_server
from runtime.stopping import die_with_parent

START_TIMEOUT_S: Final = 20.0


class RedisProcess:
    """Keeps its data in `folder`, append-only, and its port over restarts."""

    def __init__(self, folder: Path, password: str = "", binary: Path | None = None) -> None:
        """`binary`: another redis-server than the one that `maskwatch run` would start."""
        self._folder = folder
        self._password = password
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        """Where it is, with its first password."""
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """The address of something else that leads here."""
        secret = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"redis://{secret}127.0.0.1:{port}/0"

    def client(self) -> Redis:
        """A connection past whatever lies between."""
        return connect(self.url, "tests")

    def start(self, *options: str) -> None:
        """Start it and wait until it has its data."""
        self._folder.mkdir(parents=True, exist_ok=True)
        secret = (("--requirepass", self._password), ("--masterauth", self._password))
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "redis-server",
                    *("--port", str(self.port), "--bind", "127.0.0.1", "--save", ""),
                    *("--dir", str(self._folder), "--appendonly", "yes"),
                    *("--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"),
                    *(part for pair in secret if self._password for part in pair),
                    *options,
                ],
                executable=self._binary or find_redis_server(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent,
            )
        self.wait_for("ready", lambda client: bool(client.ping()))

    def replicate(self, primary: RedisProcess) -> None:
        """Become a read-only replica of `primary`, and wait until it has the same data."""
        self.client().replicaof("127.0.0.1", primary.port)
        self.wait_for(
            "a replica",
            lambda client: client.info("replication").get("master_link_status") == "up",
        )

    def promote(self) -> None:
        """Become a primary of its own."""
        self.client().replicaof("NO", "ONE")

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def wait_for(self, what: str, condition: object) -> None:
        """Wait until `condition(client)` holds."""
        give_up_s = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < give_up_s:
            try:
                if callable(condition) and condition(self.client()):
                    return
            except RedisError:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"the Redis on port {self.port} is not {what}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
