"""A real primary, a real replica, and three real sentinels that watch them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from benchmarks.system import free_port
from bus.server.acl import ACL_FILE, password_file
from runtime.stopping import die_with_parent
from tests.servers.redis_server import Server, binary, redis_server

SERVICE = "station"
DOWN_AFTER_MS = 1500
WAIT_S = 90.0


@dataclass(frozen=True)
class Watched:
    """The servers by port, and where the sentinels are."""

    servers: dict[int, Server]
    sentinels: tuple[int, ...]

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def primary(self) -> int:
        """The port of the server that the sentinels call the primary."""
        _, port = Redis(port=self.sentinels[0]).sentinel_get_master_addr_by_name(SERVICE)
        return int(port)

    def kill_primary(self) -> int:
        """Kill it and wait until another is the primary, for every sentinel; return the old."""
        old = self.primary()
        self.servers[old].process.kill()
        wait_for(lambda: self.primary() != old and self._promoted(), "a promotion")
        return old

    def _promoted(self) -> bool:
        found = Redis(port=self.sentinels[0]).sentinel_master(SERVICE)
        return bool(found["role-reported"] == "master" and found["port"] == self.primary())


@contextmanager
def watched_redis(folder: Path, acl: Path | None = None) -> Iterator[Watched]:
    """Two servers that replicate, and three sentinels of which two must agree.

    `acl`: a folder with users for them.
    """
    common, login = ((), "") if acl is None else _logins(acl)
    with ExitStack() as stack:
        first = stack.enter_context(redis_server(folder / "first", "6.2", *common))
        option = ("--replicaof", "127.0.0.1", str(first.port))
        second = stack.enter_context(redis_server(folder / "second", "6.2", *common, *option))
        ports = tuple(
            stack.enter_context(_sentinel(folder / f"sentinel-{n}", first.port, login))
            for n in range(3)
        )
        watched = Watched({first.port: first, second.port: second}, ports)
        wait_for(lambda: all(_knows_all(port) for port in ports), "the sentinels to meet")
        yield watched


def _logins(acl: Path) -> tuple[tuple[str, ...], str]:
    """What servers and sentinels are told of their users."""
    password = password_file(acl, "replica").read_text().strip()
    options = {
        "aclfile": str(acl / ACL_FILE),
        "masteruser": "replica",
        "masterauth": password,
    }
    watcher = password_file(acl, "sentinel").read_text().strip()
    login = f"sentinel auth-user {SERVICE} sentinel\nsentinel auth-pass {SERVICE} {watcher}\n"
    return tuple(part for k, v in options.items() for part in (f"--{k}", v)), login


@contextmanager
def _sentinel(folder: Path, primary: int, login: str = "") -> Iterator[int]:
    folder.mkdir(parents=True)
    port, config = free_port(), folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {SERVICE} 127.0.0.1 {primary} 2\n"
        f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\n"
        f"sentinel failover-timeout {SERVICE} 6000\n{login}"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["redis-server", str(config), "--sentinel"],
            executable=binary("6.2"),
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent,
        )
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def _knows_all(port: int) -> bool:
    found = Redis(port=port).sentinel_master(SERVICE)
    replicas = Redis(port=port).sentinel_slaves(SERVICE)
    linked = [one for one in replicas if one.get("master-link-status") == "ok"]
    return bool(linked) and found["num-other-sentinels"] == 2


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait for what servers that start or change will come to say."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (RedisError, KeyError):
            pass
        time.sleep(0.05)
    pytest.fail(f"waited in vain for {what}")
