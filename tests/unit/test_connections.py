"""Which connection goes first when there are too many, and when one has taken too long."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import BytesIO

import pytest
from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

from contract.errors import BusyError
from dashboard.web import connections
from dashboard.web.connections import (
    BODY_S,
    LEAST_RATE,
    OF_AN_ACCOUNT,
    STRANGERS_ANSWER_S,
    Connection,
    Connections,
)
from dashboard.web.request_body import RequestBody

HERE, THERE = "10.0.0.1", "10.0.0.2"


class Table:
    """A table with a clock of its own, and real sockets."""

    def __init__(self, most: int = 100) -> None:
        self.now_s = 1000.0
        self.open = Connections(most, lambda: self.now_s)
        self.clients: list[socket.socket] = []

    def add(self, address: str = HERE, account: str = "") -> Connection | None:
        server, client = socket.socketpair()
        self.clients += [server, client]
        one = self.open.open(server, address)
        if one and account:
            one.enter("answering")
            one.belongs_to(account)
        return one

    def added(self, address: str = HERE, account: str = "") -> Connection:
        one = self.add(address, account)
        assert one is not None
        return one

    def pass_by(self, seconds: float) -> None:
        self.now_s += seconds
        self.open.give_up_late()


@pytest.fixture
def table() -> Iterator[Table]:
    made = Table(most=6)
    yield made
    for one in made.clients:
        one.close()


def given_up(*ones: Connection) -> list[bool]:
    return [bool(one.given_up) for one in ones]


def test_strangers_who_wait_go_first_then_those_answered_then_idle_accounts(table: Table) -> None:
    asleep = table.added(account="user:ada")
    asleep.enter("idle")
    watching = table.added(account="user:ada")
    watching.enter("streaming")
    answered = table.added()
    answered.enter("answering")
    sending = table.added()
    sending.wait_for(100)
    first, second = table.added(), table.added()
    order = [sending, first, second, answered, asleep]
    for index, _ in enumerate(order):
        assert given_up(*order) == [n < index for n in range(len(order))]
        table.added(account="user:grace")
    assert given_up(*order, watching) == [True] * 5 + [False]
    assert table.add() is None, "everything that is left is under way for an account"


def test_what_was_given_up_sees_its_client_gone(table: Table) -> None:
    for _ in range(7):
        table.added()
    assert table.clients[0].recv(1) == b""


def test_an_address_makes_room_with_its_own_connections_only(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "OF_AN_ADDRESS", 2)
    watching = table.added(HERE, account="user:ada")
    watching.enter("streaming")
    elsewhere, first, second = table.added(THERE), table.added(), table.added()
    assert given_up(elsewhere, first, second, watching) == [False] * 4
    table.added()
    assert given_up(elsewhere, first, second, watching) == [False, True, False, False]


def test_bodies_are_bounded_by_address_and_in_all(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODIES_OF_AN_ADDRESS", 1)
    monkeypatch.setattr(connections, "BODIES", 2)
    idle, here, again = table.added(), table.added(), table.added()
    there, further = table.added(THERE), table.added("10.0.0.3")
    here.wait_for(1)
    there.wait_for(1)
    again.wait_for(1)
    assert given_up(idle, here, again, there) == [False, True, False, False]
    further.wait_for(1)
    assert given_up(idle, here, again, there) == [False, True, False, True], "the oldest in all"


def test_a_proxys_requests_count_for_those_who_ask_through_it(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODIES_OF_AN_ADDRESS", 1)
    first, second, third = (table.added("") for _ in range(3))
    for one, address in ((first, HERE), (second, THERE), (third, THERE)):
        table.open.comes_from(one, address)
        one.wait_for(1)
    assert given_up(first, second, third) == [False, True, False]


@pytest.mark.parametrize("phase", ["answering", "streaming"])
def test_an_account_has_so_many_at_once_and_others_are_not_concerned(
    phase: connections.Phase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OF_AN_ACCOUNT, phase, 2)
    table = Table()
    held = [table.added(account="user:ada") for _ in range(2)]
    for one in held:
        one.enter(phase)
    with pytest.raises(BusyError):
        table.added(account="user:ada").enter(phase)
    table.added(account="user:grace").enter(phase)
    held[0].enter("idle")
    table.added(account="user:ada").enter(phase)
    for socket_ in table.clients:
        socket_.close()


def test_what_is_closed_or_given_up_counts_no_more(table: Table) -> None:
    for _ in range(50):
        one = table.added(account="user:ada")
        table.open.close(one)
        table.open.close(table.added())
    assert len(table.open) == 0
    assert not table.open._by_address
    assert not +table.open._accounts


def test_a_long_body_may_take_long_where_it_comes_fast_enough(table: Table) -> None:
    steady, slow = table.added(), table.added()
    body = RequestBody(BytesIO(bytes(LEAST_RATE * 100)), steady)
    for _ in range(100):
        steady.wait_for(LEAST_RATE)
        table.pass_by(1.0)
        steady.arrived(len(body._body.read(LEAST_RATE)))
    assert not steady.given_up
    for _ in range(100):
        slow.wait_for(1)
        table.pass_by(1.0)
        slow.arrived(1)
    assert slow.given_up


def test_a_body_that_was_given_up_says_why(table: Table) -> None:
    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            table.pass_by(BODY_S + 60)
            return b""

    with pytest.raises(RequestTimeout):
        RequestBody(Slow(), table.added()).read(10)
    one = table.added()
    one.wait_for(10)
    for _ in range(8):
        table.added()
    with pytest.raises(ServiceUnavailable):
        RequestBody(BytesIO(), one).read(10)


def test_a_stranger_must_read_an_answer_in_time_and_an_account_need_not(table: Table) -> None:
    stranger, known = table.added(), table.added(account="user:ada")
    stranger.enter("answering")
    table.pass_by(STRANGERS_ANSWER_S + 1)
    assert given_up(stranger, known) == [True, False]


def test_those_that_are_late_together_do_not_end_together() -> None:
    table = Table(most=1000)
    late = [table.added() for _ in range(connections.LATE_AT_ONCE + 10)]
    for one in late:
        one.wait_for(1)
    table.pass_by(BODY_S + 60)
    assert sum(given_up(*late)) == connections.LATE_AT_ONCE
    table.pass_by(connections.SWEEP_S)
    assert all(given_up(*late))
    for one in table.clients:
        one.close()


@pytest.mark.parametrize("text", [b"", b"one\ntwo\n\nlast", bytes(200_000)])
def test_a_body_is_read_as_any_file(table: Table, text: bytes) -> None:
    def body() -> RequestBody:
        return RequestBody(BytesIO(text), table.added())

    whole = body()
    assert b"".join(iter(lambda: whole.read(70_000), b"")) == text
    assert (body().read(), body().read(0)) == (text, b"")
    assert b"".join(body()) == text
    if len(text) < 1000:
        assert body().readlines() == BytesIO(text).readlines()
