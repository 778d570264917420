"""The ways in which a set-up's servers end."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

from redis import Redis

from tests.builders import add_camera
from tests.servers.redis_setups import Setup
from tests.servers.sentinels import wait_for


def shut_down(setup: Setup) -> None:
    setup.end()


def terminate(setup: Setup) -> None:
    setup.end(signal.SIGTERM)


def kill(setup: Setup) -> None:
    setup.end(signal.SIGKILL)


def kill_after_a_rewrite(setup: Setup) -> None:
    for number in range(len(setup.servers)):
        server = setup.tests(number)
        server.bgrewriteaof()
        wait_for(partial(rewritten, server), "a rewrite of the append-only file")
    kill(setup)


def kill_while_it_writes(setup: Setup) -> None:
    """The last thing written is there in part only, as after a power cut."""
    add_camera(setup.client(), "Unlucky")
    kill(setup)
    places = [setup.data(number) for number in range(len(setup.commands))]
    torn = [torn_file(place) for place in places]
    assert any(torn) or not any(append_only(place) for place in places)


ENDS = (shut_down, terminate, kill, kill_after_a_rewrite, kill_while_it_writes)


def rewritten(server: Redis) -> bool:
    told = server.info("persistence")
    return not (told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])


def append_only(data: Path) -> Path | None:
    """The file that a server appends to, where there is one: the newest, during a rewrite."""
    written = [path for path in data.rglob("*.aof") if path.is_file()]
    appended = [one for one in written if ".incr." in one.name or one.parent == data]
    return max(appended, key=lambda one: one.stat().st_mtime_ns, default=None)


def torn_file(data: Path) -> bool:
    """Cut the last bytes off the append-only file if that camera is in it."""
    newest = append_only(data)
    if newest is None:
        return False
    content = newest.read_bytes()
    if b"Unlucky" not in content:
        return False
    newest.write_bytes(content[:-3])
    return True
