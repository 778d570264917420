"""Whatever Redis is set up as, a restart brings back what was stored."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from benchmarks.system import free_port
from contract.redis_client import connect
from contract.settings import load_settings
from maskwatch import redis_acl
from maskwatch.redis_roles import ADMIN
from tests.servers.redis_server import Server, start_server
from tests.servers.stages import login
from tests.stored import store_something, stored

APPEND_ONLY = ("--appendonly", "yes", "--appendfsync", "everysec")


def shut_down(server: Server) -> None:
    server.process.terminate()
    server.process.wait(20)


def kill(server: Server) -> None:
    server.process.kill()
    server.process.wait(20)


@pytest.mark.parametrize("end", [shut_down, kill], ids=lambda end: end.__name__)
@pytest.mark.parametrize("version", ["6.2", "7"])
def test_users_who_may_do_little_cost_nothing_of_what_was_stored(
    version: str, end: Callable[[Server], None], tmp_path: Path
) -> None:
    acl, port = tmp_path / "acl", free_port()
    redis_acl.write(acl, cast(redis_acl.Server, version))
    options = (*APPEND_ONLY, "--aclfile", str(acl / redis_acl.ACL_FILE))
    server = start_server(tmp_path / "data", version, *options, port=port)
    try:
        settings = {"MASKWATCH_REDIS_URL": server.url, **login(acl, ADMIN)}
        redis = connect(load_settings(settings).require_redis_url(), "tests")
        store_something(redis)
        before = stored(redis)
        redis.close()
        end(server)
        server = start_server(tmp_path / "data", version, *options, port=port)
        assert stored(redis) == before
        assert strangers_get(port) == {b"NOAUTH", b"WRONGPASS"}
    finally:
        server.process.kill()
        server.process.wait()


def strangers_get(port: int) -> set[bytes]:
    """How Redis answers those who have no user's password, by the errors' codes."""
    tries = (
        *("PING", "GET maskwatch:cameras", "HELLO 3", "AUTH x", "AUTH default x", 'AUTH ""'),
        *('AUTH default ""', "HELLO 3 AUTH default x"),
    )
    codes = set()
    for line in tries:
        with socket.create_connection(("127.0.0.1", port), 10) as stranger:
            stranger.sendall(f"{line}\r\n".encode())
            answer = stranger.recv(1000)
        assert answer.startswith(b"-"), (line, answer)
        codes.add(answer[1:].split()[0])
    return codes
