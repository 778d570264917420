"""One time for all hosts."""

from __future__ import annotations

import pickle
import time

import pytest
from redis import Redis

from bus.clock import ASKED_EVERY_S, Bounds, SharedClock
from bus.members.leases import Ownership


class Host:
    """A host whose wall clock is off, and whose steady clock began at another time."""

    def __init__(self, off_s: float, now_s: float = 1_000_000.0) -> None:
        self.now_s = now_s
        self.off_s = off_s

    def local(self) -> float:
        return self.now_s + self.off_s

    def steady(self) -> float:
        return self.now_s - 999_000.0

    def clock(self) -> SharedClock:
        return SharedClock(self.local, self.steady)

    def hear(
        self, clock: SharedClock, out_s: float, back_s: float, server_off_s: float = 0
    ) -> None:
        """The server's answer, that long under way out and back."""
        asked_s = self.steady()
        self.now_s += out_s
        server_s = self.now_s + server_off_s
        self.now_s += back_s
        clock.hear(server_s, asked_s, self.steady())


@pytest.mark.parametrize("off_s", [-2.0, 2.0, 86_400.0])
def test_a_host_whose_clock_is_off_learns_the_servers_to_half_a_round_trip(off_s: float) -> None:
    host = Host(off_s)
    clock = host.clock()
    assert clock() == pytest.approx(host.now_s + off_s)
    host.hear(clock, out_s=0.004, back_s=0.006)
    assert clock() == pytest.approx(host.now_s, abs=0.0061)


def test_a_slow_answer_does_not_undo_what_a_quick_one_taught() -> None:
    host = Host(off_s=2.0)
    clock = host.clock()
    host.hear(clock, 0.001, 0.001)
    host.hear(clock, 3.0, 0.0)
    host.hear(clock, 0.0, 3.0)
    assert clock() == pytest.approx(host.now_s, abs=0.004)


def test_a_host_whose_clock_agrees_keeps_it() -> None:
    host = Host(off_s=0.002)
    clock = host.clock()
    for _ in range(10):
        host.hear(clock, 0.005, 0.005)
    assert clock() == pytest.approx(host.local(), abs=1e-9)


def test_a_host_clock_that_is_set_changes_nothing() -> None:
    host = Host(off_s=0.0)
    clock = host.clock()
    host.hear(clock, 0.001, 0.001)
    host.off_s = 3600.0
    assert clock() == pytest.approx(host.now_s, abs=0.0011)


def test_a_server_whose_clock_was_set_is_followed() -> None:
    host = Host(off_s=0.0)
    clock = host.clock()
    host.hear(clock, 0.001, 0.001)
    host.hear(clock, 0.001, 0.001, server_off_s=-30.0)
    assert clock() == pytest.approx(host.now_s - 30.0, abs=0.0011)


def test_what_is_known_gets_vaguer_with_time() -> None:
    known = Bounds(1.0, 1.002, at_s=0.0)
    later = known.later(100.0)
    assert later.least_s < 1.0
    assert later.most_s > 1.002
    assert known.common(Bounds(1.01, 1.02, 0.0)) is None
    assert later.common(Bounds(1.01, 1.03, 100.0)) is not None


def test_the_server_is_asked_again_only_after_a_while(redis: Redis) -> None:
    host = Host(off_s=7.0, now_s=time.time())
    clock = host.clock()
    asked: list[float] = []
    redis.set_response_callback("TIME", lambda answer: asked.append(1) or answer_of(answer))
    for _ in range(3):
        clock.keep(redis)
    assert len(asked) == 1
    assert clock() == pytest.approx(host.now_s, abs=1.0)
    host.now_s += ASKED_EVERY_S
    clock.keep(redis)
    assert len(asked) == 2


def answer_of(answer: list[bytes]) -> tuple[int, int]:
    return int(answer[0]), int(answer[1])


def test_a_clock_goes_on_in_another_process() -> None:
    clock = SharedClock()
    now_s = time.monotonic()
    clock.hear(5_000.0, now_s, now_s)
    assert pickle.loads(pickle.dumps(clock))() == pytest.approx(clock(), abs=1.0)  # noqa: S301
    assert abs(clock() - 5_000.0) < 60


def test_a_members_clock_is_right_before_it_owns_a_camera(redis: Redis) -> None:
    clock = SharedClock(local=lambda: time.time() - 3600.0)
    ownership = Ownership(redis, "worker", "one", 2.0, clock=clock)
    assert ownership.step(["a camera"])
    assert clock() == pytest.approx(time.time(), abs=60.0)
