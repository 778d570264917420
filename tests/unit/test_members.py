"""Who is alive, and how soon a dead owner's cameras are another's."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.members.leases import Ownership
from bus.members.members import (
    DeathWatch,
    Membership,
    OwnConnection,
    host_of,
    member_name,
)
from bus.server.embedded import EmbeddedRedis

LEASE_S = 60.0
"""So long that nothing in these tests runs out by itself."""


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def owner_process(redis_url: str) -> Iterator[subprocess.Popen[str]]:
    """A real process that owns camera c1 and then does nothing more."""
    program = (
        "import sys, time; from bus.members.leases import Ownership; "
        "from bus.connection.client import connect; "
        f"owner = Ownership(connect(sys.argv[1]), 'worker', 'victim', {LEASE_S}); "
        "print(*owner.step(['c1']), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, redis_url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "c1"
        try:
            yield process
        finally:
            process.kill()


def let_beats_pass(redis: Redis) -> None:
    """Make everyone's last beat look half a lease old."""
    members = "maskwatch:{members:worker}"
    for name, at_ms in redis.zrange(members, 0, -1, withscores=True):
        redis.zadd(members, {name: at_ms - LEASE_S * 500})


@pytest.fixture
def successor(redis: Redis) -> Ownership:
    return Ownership(redis, "worker", "successor", LEASE_S)


def test_a_killed_owners_camera_is_taken_over_long_before_its_lease_runs_out(
    redis: Redis, redis_url: str, successor: Ownership
) -> None:
    with owner_process(redis_url) as victim:
        successor.step(["c1"])
        victim.kill()
        victim.wait()
        let_beats_pass(redis)
        leases = successor.step(["c1"])
    assert leases["c1"].owner == "successor"
    assert redis.pttl(CameraKeys("c1").worker_lease) > 0
    assert Membership(redis, "worker", LEASE_S).live().keys() == {"successor"}


def test_a_paused_owner_keeps_its_camera_until_the_lease_runs_out(
    redis: Redis, redis_url: str, successor: Ownership
) -> None:
    with owner_process(redis_url) as victim:
        victim.send_signal(signal.SIGSTOP)
        let_beats_pass(redis)
        assert "c1" not in successor.step(["c1"])
        assert redis.get(CameraKeys("c1").worker_lease) == b"victim:1"


def test_who_did_not_see_the_death_takes_the_camera_as_well(
    redis: Redis, redis_url: str, successor: Ownership
) -> None:
    with owner_process(redis_url) as victim:
        successor.step(["c1"])
        victim.kill()
        victim.wait()
        # Another member noticed, and had no room for the camera.
        Membership(redis, "worker", LEASE_S).leave("victim")
        assert successor.step(["c1"])["c1"].owner == "successor"


def test_a_member_between_two_beats_is_not_dead_though_its_connection_is(redis: Redis) -> None:
    membership = Membership(redis, "worker", LEASE_S)
    membership.beat("other", connection=10**9)
    living, gone = DeathWatch(redis, membership, "me", LEASE_S).beat("{}")
    assert (set(living), gone) == ({"me", "other"}, [])


def test_after_a_restart_of_the_server_nobody_is_taken_for_dead(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path)
    server.start()
    try:
        redis, clock = connect(server.url), Clock()
        membership = Membership(redis, "worker", LEASE_S)
        for _ in range(5):  # so that this connection's number is another one afterwards
            OwnConnection(redis).number()
        watch = DeathWatch(redis, membership, "me", LEASE_S, clock)
        watch.beat("{}")
        membership.beat("other", connection=10**9)
        server.stop()
        server.start()
        let_beats_pass(connect(server.url))
        with pytest.raises(RedisError):  # the connection broke; the next beat makes another
            watch.beat("{}")
        living, _ = watch.beat("{}")
        assert "other" in living
        # Had it come back, it would have said its new number by now.
        clock.now_s += LEASE_S + 1
        living, gone = watch.beat("{}")
        assert (living, gone) == (["me"], ["other"])
    finally:
        server.stop()


def test_a_server_that_forbids_to_ask_leaves_it_to_the_lease(
    redis: Redis, redis_url: str, successor: Ownership
) -> None:
    rights = ("on", "nopass", "~*", "&*", "+@all", "-client")
    redis.execute_command("ACL", "SETUSER", "limited", *rights)
    path = redis_url.removeprefix("unix://")
    try:
        with owner_process(redis_url) as victim:
            limited = Redis(unix_socket_path=path, username="limited", password="any")  # noqa: S106
            watched = Ownership(limited, "worker", "successor", LEASE_S)
            watched.step(["c1"])
            victim.kill()
            victim.wait()
            let_beats_pass(redis)
            assert "c1" not in watched.step(["c1"])
    finally:
        redis.execute_command("ACL", "DELUSER", "limited")


def test_a_newcomer_takes_what_nobody_owns_at_once_and_the_rest_when_it_has_lasted(
    redis: Redis,
) -> None:
    clock, cameras = Clock(), [f"c{number}" for number in range(6)]
    old = Ownership(redis, "ingest", "old", LEASE_S, settle_s=60)
    new = Ownership(redis, "ingest", "new", LEASE_S, settle_s=60)
    old._watch._clock = new._watch._clock = clock
    assert len(old.step(cameras)) == 6
    clock.now_s += 61
    old.step(cameras)
    new.step(cameras)
    assert (len(old.step(cameras)), len(new.step(cameras))) == (6, 0)
    more = [*cameras, "d1", "d2", "d3", "d4"]
    new.step(more)
    taken = new.held().keys()
    assert taken
    assert taken <= {"d1", "d2", "d3", "d4"}
    clock.now_s += 61
    old.step(more)
    assert (len(old.step(more)), len(new.step(more))) == (5, 5)


def test_two_that_have_just_come_share_at_once(redis: Redis) -> None:
    cameras = [f"c{number}" for number in range(6)]
    first = Ownership(redis, "ingest", "first", LEASE_S, settle_s=60)
    second = Ownership(redis, "ingest", "second", LEASE_S, settle_s=60)
    first.step(cameras)
    second.step(cameras)
    assert (len(first.step(cameras)), len(second.step(cameras))) == (3, 3)


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 5000, "\u0663"])
def test_a_member_that_nobody_can_read_stops_no_other(redis: Redis, number: str) -> None:
    membership = Membership(redis, "worker", LEASE_S)
    membership.beat("w1")
    redis.hset("maskwatch:{members:worker}:connections", "w1", number)
    redis.hset("maskwatch:{members:worker}:details", "w1", b"\xff\xfe")
    assert [member.connection for member in membership.beat("w2")] == [0, 0]
    assert set(membership.live()) == {"w1", "w2"}


def test_the_first_one_back_after_an_outage_waits_for_the_others(redis: Redis) -> None:
    clock, membership = Clock(), Membership(redis, "worker", LEASE_S)
    early, late = (DeathWatch(redis, membership, n, LEASE_S, clock) for n in ("early", "late"))
    for member in (early, late, early):
        member.beat("{}")
    clock.now_s += LEASE_S + 1
    redis.flushall()
    assert set(early.beat("{}")[0]) == {"early", "late"}
    clock.now_s += LEASE_S - 1
    living, gone = early.beat("{}")
    assert (set(living), gone) == ({"early", "late"}, [])
    clock.now_s += 2
    assert early.beat("{}") == (["early"], ["late"])


def test_a_members_name_tells_its_host() -> None:
    assert host_of(member_name()) == socket.gethostname()
    assert host_of("maskwatch-worker-0-17-c0ffee") == "maskwatch-worker-0"
