"""However Redis is set up, and however it ends: when it starts again, what was stored is there."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.server import acl as redis_acl
from tests.builders import add_camera
from tests.servers import redis_setups
from tests.servers.redis_ends import ENDS
from tests.servers.redis_server import CARRIED
from tests.servers.redis_setups import Setup
from tests.stored import store_something, stored

Make = Callable[[Path, str], Setup]
NEWEST = "7"
SETUPS: list[tuple[Make, str]] = [
    *((redis_setups.embedded, version) for version in (CARRIED, NEWEST)),
    *((redis_setups.one_password, version) for version in (CARRIED, NEWEST)),
    (redis_setups.compose, NEWEST),
    (redis_setups.helm, NEWEST),
    (redis_setups.helm_tls, NEWEST),
    *((redis_setups.systemd, version) for version in (CARRIED, NEWEST)),
    *((redis_setups.replicated, version) for version in (CARRIED, NEWEST)),
    *((redis_setups.cluster, version) for version in (CARRIED, NEWEST)),
]


@contextmanager
def started(make: Make, folder: Path, version: str) -> Iterator[Setup]:
    setup = make(folder, version)
    try:
        setup.start()
        yield setup
    finally:
        setup.kill()


@pytest.mark.parametrize(("make", "version"), SETUPS, ids=lambda one: getattr(one, "__name__", one))
def test_what_was_stored_is_there_after_every_kind_of_restart(
    make: Make, version: str, tmp_path: Path
) -> None:
    with started(make, tmp_path, version) as setup:
        store_something(setup.client())
        for end in ENDS:
            add_camera(setup.client(), end.__name__)
            before = stored(setup.client())
            end(setup)
            setup.start()
            assert stored(setup.client()) == before, end.__name__
        if setup.users and "MASKWATCH_REDIS_CA_FILE" not in setup.settings:
            assert strangers_get(setup.ports[0]) == {b"NOAUTH", b"WRONGPASS"}


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


@pytest.mark.parametrize("version", [CARRIED, NEWEST])
def test_what_was_stored_before_there_were_users_is_there_with_them_and_after_they_went(
    version: str, tmp_path: Path
) -> None:
    with started(redis_setups.systemd, tmp_path, version) as setup:
        setup.end()
        users, setup.users = setup.users, None
        assert users is not None
        with_users = users.read_text()
        for text in ("user default on nopass ~* &* +@all\n", with_users):
            users.write_text(text)
            setup.users = users if text == with_users else None
            setup.start()
            if setup.users is None:
                store_something(setup.client())
                before = stored(setup.client())
            assert stored(setup.client()) == before
            setup.end()
        users.write_text("user default on nopass ~* &* +@all\n")
        setup.users = None
        setup.start()
        assert stored(setup.client()) == before


@pytest.mark.parametrize("make", [redis_setups.compose, redis_setups.helm])
def test_redis_does_not_start_over_users_with_which_it_would_lose_what_it_has(
    make: Make, tmp_path: Path
) -> None:
    with started(make, tmp_path, NEWEST) as setup:
        store_something(setup.client())
        before = stored(setup.client())
        setup.end()
        setup.use_users(redis_setups.OLD)
        with pytest.raises(pytest.fail.Exception, match=r"make_secrets\.sh"):
            setup.start()
        setup.use_users(redis_acl.NOBODY)
        setup.start()
        assert stored(setup.client()) == before
