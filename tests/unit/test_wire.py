"""An older process beside newer ones steps back, says why, and returns when it may."""

from __future__ import annotations

import threading

import pytest
from click.testing import CliRunner
from redis import Redis

from bus.connection.client import wait_for_server
from bus.keys import WIRE
from bus.members.leases import Ownership
from bus.wire import VERSION, check_wire, join_wire
from contract.errors import WireVersionError
from maskwatch.cli import main

NEWER = str(VERSION + 1)


def test_the_first_process_notes_its_version_and_its_like_may_join(redis: Redis) -> None:
    check_wire(redis)
    assert redis.get(WIRE) is None
    join_wire(redis)
    join_wire(redis)
    check_wire(redis)
    assert redis.get(WIRE) == str(VERSION).encode()


def test_a_newer_process_is_noted_over_an_older_one_and_never_the_other_way(redis: Redis) -> None:
    redis.set(WIRE, VERSION - 1)
    join_wire(redis)
    assert redis.get(WIRE) == str(VERSION).encode()
    redis.set(WIRE, NEWER)
    with pytest.raises(WireVersionError, match="upgrade this process"):
        join_wire(redis)
    assert redis.get(WIRE) == NEWER.encode()


@pytest.mark.parametrize("noise", ["", "x", "-1", "9" * 5000])
def test_noise_in_its_place_stops_nobody(redis: Redis, noise: str) -> None:
    redis.set(WIRE, noise)
    check_wire(redis)
    join_wire(redis)
    assert redis.get(WIRE) == str(VERSION).encode()


def test_an_older_owner_gives_its_cameras_to_newer_ones_and_takes_them_again(
    redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    older, other = (Ownership(redis, "worker", name, 60) for name in ("older", "other"))
    assert older.step(["c1"]).keys() == {"c1"}
    redis.set(WIRE, NEWER)
    assert older.step(["c1"]) == {}
    assert older.step(["c1"]) == {}
    assert older.held() == {}
    assert caplog.text.count("a newer Maskwatch uses this Redis") == 1
    redis.delete(WIRE)
    assert other.step(["c1"]).keys() == {"c1"}, "the lease was not given back"
    other.leave()
    assert older.step(["c1"]).keys() == {"c1"}


def test_an_older_stage_waits_and_says_why(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    redis.set(WIRE, NEWER)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    assert wait_for_server(redis, stop) is False
    assert caplog.text.count("a newer Maskwatch uses this Redis") == 1
    redis.delete(WIRE)
    assert wait_for_server(redis, threading.Event()) is True


def test_an_older_command_refuses_with_words(redis: Redis, redis_url: str) -> None:
    redis.set(WIRE, NEWER)
    said = CliRunner().invoke(main, ["camera", "list"], env={"MASKWATCH_REDIS_URL": redis_url})
    assert said.exit_code == 2
    assert "a newer Maskwatch uses this Redis" in said.output
