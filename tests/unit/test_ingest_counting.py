"""captured = published + not_sampled + unpublished, whatever Redis does."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from bus.bus import Bus
from bus.keys import CameraKeys
from bus.members.leases import Lease, LeaseStore
from contract.errors import SourceTimeoutError
from contract.people.totals import decode_totals
from ingest.captured import StreamInfo
from ingest.process.connection_state import ConnectionState
from ingest.process.following import IN_FLIGHT, Follower
from ingest.process.outbox import Outbox
from ingest.process.reader_process import make_reporter
from ingest.process.reporter import Reporter
from tests.builders import frames_of

STOP = threading.Event()


def lease_of(redis: Redis) -> Lease:
    lease = LeaseStore(redis, "ingest", "a", 30).acquire("c1")
    assert lease is not None
    return lease


def counted(redis: Redis) -> dict[str, float]:
    return decode_totals(redis.hgetall(CameraKeys("c1").totals))


def assert_balanced(redis: Redis, captured: int) -> None:
    totals = counted(redis)
    drops = totals.get("dropped:not_sampled", 0) + totals.get("dropped:unpublished", 0)
    assert totals["frames:captured"] == captured
    assert totals.get("frames:published", 0) + drops == captured


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(capacity=2)


@pytest.fixture
def reporter(redis: Redis, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> Reporter:
    monkeypatch.setattr("ingest.process.reporter.TAKE_S", 0.001)
    monkeypatch.setattr("ingest.process.reporter.REST_S", 0.0)
    monkeypatch.setattr("ingest.process.reporter.FLUSH_S", 0.0)
    return make_reporter(
        Bus(redis), lease_of(redis), outbox, ConnectionState("a"), STOP, stream_max_frames=50
    )


def test_a_published_frame_has_the_index_it_was_captured_with(
    redis: Redis, outbox: Outbox, reporter: Reporter
) -> None:
    for number in range(12):
        if number % 5 == 0:
            outbox.put(str(number).encode(), time.time())
        else:
            outbox.skip()
        reporter.step(STOP)
    reporter.flush()
    frames = frames_of(redis, "c1")
    assert [(frame.frame_index, int(frame.jpeg)) for frame in frames] == [(0, 0), (5, 5), (10, 10)]
    assert_balanced(redis, 12)


def test_a_slow_redis_costs_the_oldest_frames_and_counts_them(
    redis: Redis, outbox: Outbox, reporter: Reporter
) -> None:
    for number in range(10):
        outbox.put(str(number).encode(), time.time())
        outbox.skip()
    for _ in range(4):
        reporter.step(STOP)
    frames = frames_of(redis, "c1")
    assert [(frame.frame_index, int(frame.jpeg)) for frame in frames] == [(16, 8), (18, 9)]
    assert counted(redis)["dropped:unpublished"] == 8
    assert_balanced(redis, 20)


@pytest.mark.parametrize("arrives", [False, True])
def test_a_write_that_breaks_off_is_counted_once_whether_it_arrived_or_not(
    redis: Redis,
    outbox: Outbox,
    reporter: Reporter,
    monkeypatch: pytest.MonkeyPatch,
    arrives: bool,
) -> None:
    chance = random.Random(3)
    real = redis.execute_command

    def flaky(*args: Any, **kwargs: Any) -> Any:
        if "EVAL" not in str(args[0]) or chance.random() < 0.6:
            return real(*args, **kwargs)
        if arrives:
            real(*args, **kwargs)
        raise RedisConnectionError("broken off")

    monkeypatch.setattr(redis, "execute_command", flaky)
    captured = 60
    for number in range(captured):
        if number % 3 == 0:
            outbox.put(b"jpeg", time.time())
        else:
            outbox.skip()
        reporter.step(STOP)
    monkeypatch.undo()
    reporter.flush()
    assert_balanced(redis, captured)
    assert counted(redis)["dropped:not_sampled"] == 40


def test_frames_during_a_full_redis_are_counted_as_unpublished_afterwards(
    redis: Redis, outbox: Outbox, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise ResponseError("OOM command not allowed when used memory > 'maxmemory'.")

    monkeypatch.setattr(redis, "execute_command", full)
    for _ in range(9):
        outbox.put(b"jpeg", time.time())
        reporter.step(STOP)
    monkeypatch.undo()
    reporter.flush()
    assert counted(redis)["dropped:unpublished"] == 9
    assert_balanced(redis, 9)


def test_nothing_is_written_under_a_lost_lease_and_all_is_counted_under_the_next(
    redis: Redis, outbox: Outbox, reporter: Reporter
) -> None:
    redis.delete(CameraKeys("c1").ingest_lease)
    for _ in range(4):
        outbox.skip()
        outbox.put(b"jpeg", time.time())
        reporter.step(STOP)
    assert counted(redis) == {}
    assert reporter.lease_lost_s is not None
    reporter.renew(lease_of(redis))
    outbox.put(b"jpeg", time.time())
    reporter.step(STOP)
    assert counted(redis)["frames:published"] == 1
    assert counted(redis)["dropped:unpublished"] == 4
    assert_balanced(redis, 9)


def test_a_connection_is_live_with_its_first_frame_stalled_without_and_offline_when_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    state = ConnectionState("owner")
    seen = [state.status().state]
    state.connected(StreamInfo(64, 48, "h264", 25.0))
    for _ in range(50):
        now[0] += 0.04
        state.frame()
    live = state.status()
    seen.append(live.state)
    assert (live.width, live.height, live.codec) == (64, 48, "h264")
    assert live.fps == pytest.approx(25, abs=0.1)
    now[0] += 2.5
    stalled = state.status()
    seen.append(stalled.state)
    assert stalled.error_kind == "timeout"
    state.lost(SourceTimeoutError("silence"))
    state.connecting(again=True)
    offline = state.status()
    seen.append(offline.state)
    assert (offline.error_kind, offline.error, offline.reconnects) == ("timeout", "silence", 1)
    state.connected(StreamInfo(64, 48, "h264", 25.0))
    state.frame()
    seen.append(state.status().state)
    assert seen == ["connecting", "live", "stalled", "offline", "live"]
    assert state.status().error == ""


def test_a_film_that_follows_the_workers_waits_for_their_commits_and_loses_nothing(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.process.reporter.TAKE_S", 0.001)
    bus, outbox = Bus(redis), Outbox(capacity=20)
    reporter = make_reporter(
        bus,
        lease_of(redis),
        outbox,
        ConnectionState("a"),
        STOP,
        stream_max_frames=50,
        follower=Follower(bus.outcomes(1), "c1"),
    )
    for _ in range(10):
        outbox.put(b"jpeg", time.time())
    for committed in range(4):
        redis.set(CameraKeys("c1").position, f"{committed} {committed}")
        for _ in range(5):
            reporter.step(STOP)
        assert counted(redis)["frames:published"] == committed + IN_FLIGHT
    assert "dropped:unpublished" not in counted(redis)


def test_whoever_waits_for_an_empty_outbox_goes_on_when_the_last_frame_is_taken() -> None:
    outbox, went_on = Outbox(), threading.Event()
    outbox.put(b"jpeg", 0.0)
    assert not outbox.wait_until_empty(0.0)
    waiting = threading.Thread(target=lambda: outbox.wait_until_empty(30) and went_on.set())
    waiting.start()
    outbox.take(0.0)
    assert went_on.wait(20)


def test_frames_that_come_while_a_write_is_in_doubt_are_counted(
    redis: Redis, outbox: Outbox, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise RedisConnectionError("away")

    outbox.put(b"jpeg", time.time())
    with monkeypatch.context() as outage:
        outage.setattr(reporter._publisher, "_publish", away)
        reporter.step(STOP)
        outage.setattr(reporter._publisher, "captured", away)
        for _ in range(7):
            outbox.skip()
            outbox.put(b"jpeg", time.time())
            reporter.step(STOP)
    for _ in range(4):
        reporter.step(STOP)
    assert_balanced(redis, captured=15)


def test_what_was_skipped_is_kept_when_redis_goes_away_before_it_is_counted(
    redis: Redis, outbox: Outbox, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise RedisConnectionError("away")

    outbox.skip()
    with monkeypatch.context() as outage:
        outage.setattr(reporter._publisher, "captured", away)
        for _ in range(3):
            reporter.step(STOP)
    reporter.step(STOP)
    assert_balanced(redis, captured=1)


def test_a_reader_is_replaced_only_by_somebody_else(redis: Redis, reporter: Reporter) -> None:
    lease = CameraKeys("c1").ingest_lease
    assert not reporter.replaced()
    redis.delete(lease)
    assert not reporter.replaced()
    redis.set(lease, "another:9")
    assert reporter.replaced()
