"""Which connections are open, for whom, and which goes first when there are too many.

A connection is *idle* while a request's head is awaited, *sending* while a body is, *answering*
while a view works or its answer is written, and *streaming* while an answer goes on for as long as
somebody watches. It is a stranger's until a request on it came from an account. Nobody is refused
while something of a stranger can be given up instead: the oldest that waits, then the oldest that
is being answered, then what is open for an account that asks nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, cast

from gevent.monkey import get_original

from contract.errors import BusyError

ENVIRON: Final = "maskwatch.connection"
Phase = Literal["idle", "sending", "answering", "streaming"]

MOST: Final = 4000
"""Connections in all."""
OF_AN_ADDRESS: Final = 2000
"""Connections of strangers from one address."""
BODIES_OF_AN_ADDRESS: Final = 1500
"""Bodies of strangers at one address that are waited for at once."""
BODIES: Final = 3000
"""The same, of all strangers."""
OF_AN_ACCOUNT: Final[dict[Phase, int]] = {"sending": 16, "answering": 128, "streaming": 256}
OF_ALL_ACCOUNTS: Final[dict[Phase, int]] = {"sending": 128, "answering": 512, "streaming": 1000}
"""Together fewer than `MOST`, so that there is always room for somebody who comes to sign in."""
BODY_S: Final = 10.0
"""Seconds that a body of any size may be waited for."""
LEAST_RATE: Final = 16 * 1024
"""Bytes a second that a longer body must keep up with."""
STRANGERS_ANSWER_S: Final = 60.0
"""Seconds in which somebody without an account must have read an answer."""
SWEEP_S: Final = 0.25
LATE_AT_ONCE: Final = 50
TOO_LATE: Final = "it took too long"
HELD: Final = 3
"""The rank of what is never given up for somebody else: what is under way for an account."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Connection:
    """One connection, as long as it is open."""

    table: Connections
    socket: socket.socket
    address: str
    """Whose it counts as; empty for a proxy's, which carries requests of many."""
    account: str = ""
    phase: Phase = "idle"
    since_s: float = 0.0
    deadline_s: float = float("inf")
    received: int = 0
    """Bytes of the body so far."""
    waited_s: float = 0.0
    """Seconds that they were waited for."""
    given_up: str = ""
    """Why it was given up, in words for its client."""
    counted: bool = False

    @property
    def rank(self) -> int:
        """What goes first has the least."""
        if not self.account:
            return 0 if self.phase in ("idle", "sending") else 1
        return 2 if self.phase == "idle" else HELD

    @property
    def sends_as_stranger(self) -> bool:
        """Whether it is a stranger's body that is awaited."""
        return self.phase == "sending" and not self.account

    def enter(self, phase: Phase) -> None:
        """Begin a phase.

        Raises:
            BusyError: the account, or all of them, have as many as they may.
        """
        self.table.move(self, phase, self.account)

    def belongs_to(self, account: str) -> None:
        """Note whose request is being answered; raises as `enter` does."""
        if account != self.account:
            self.table.move(self, self.phase, account)

    def begin_body(self) -> None:
        """Another request's body is to be read."""
        self.received, self.waited_s = 0, 0.0

    def wait_for(self, more: int) -> None:
        """The body's next bytes, `more` at most, are awaited; raises as `enter` does."""
        self.enter("sending")
        allowed_s = BODY_S + (self.received + more) / LEAST_RATE
        self.deadline_s = self.since_s + allowed_s - self.waited_s

    def arrived(self, size: int) -> None:
        """They are here; raises as `enter` does."""
        self.waited_s += self.table.clock() - self.since_s
        self.received += size
        self.enter("answering")


class _Group:
    """Connections in the order in which they are given up: by rank, then the oldest first."""

    def __init__(self) -> None:
        self._ranks: tuple[dict[Connection, None], ...] = tuple({} for _ in range(HELD + 1))
        self.bodies: dict[Connection, None] = {}
        """Those of strangers who send one, the oldest first."""

    def add(self, one: Connection) -> None:
        self._ranks[one.rank][one] = None
        if one.sends_as_stranger:
            self.bodies[one] = None

    def remove(self, one: Connection) -> None:
        self._ranks[one.rank].pop(one, None)
        self.bodies.pop(one, None)

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    def first(self) -> Connection | None:
        """The one to give up; None where all are held."""
        return next((one for rank in self._ranks[:HELD] for one in rank), None)


class Connections:
    """All connections of this process; for one event loop: nothing here waits."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._most = most
        self._open: dict[socket.socket, Connection] = {}
        self._all = _Group()
        self._by_address: dict[str, _Group] = {}
        self._accounts: Counter[tuple[str, Phase]] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, client: socket.socket, address: str) -> Connection | None:
        """Note a connection that was accepted; None: there is no room, and none to be made."""
        if len(self._all) >= self._most and self._all.first() is None:
            return None
        one = self._open[client] = Connection(self, client, address, since_s=self.clock())
        self._add(one)
        return one

    def of(self, client: socket.socket) -> Connection:
        """The open connection with this socket."""
        return self._open[client]

    def close(self, one: Connection) -> None:
        """Forget a connection."""
        self._open.pop(one.socket, None)
        self._remove(one)

    def comes_from(self, one: Connection, address: str) -> None:
        """A proxy says whose request comes now."""
        self._remove(one)
        one.address = address
        self._add(one)

    def move(self, one: Connection, phase: Phase, account: str) -> None:
        """Give a connection another phase or account; see `Connection.enter`."""
        self._remove(one)
        try:
            self._require_room(account, phase)
            one.phase, one.account, one.since_s = phase, account, self.clock()
            late = phase == "answering" and not account
            one.deadline_s = one.since_s + STRANGERS_ANSWER_S if late else float("inf")
        finally:
            self._add(one)

    def give_up_late(self) -> None:
        """Give up some of what is past its deadline. Every `SWEEP_S`.

        Not all at once: whoever held a thousand would come back with a thousand at one moment.
        """
        now = self.clock()
        late = (one for one in self._open.values() if now > one.deadline_s)
        for one in list(islice(late, LATE_AT_ONCE)):
            self._give_up(one, TOO_LATE)

    def _require_room(self, account: str, phase: Phase) -> None:
        if not account or phase == "idle":
            return
        if self._accounts[account, phase] >= OF_AN_ACCOUNT[phase]:
            raise BusyError(f"{OF_AN_ACCOUNT[phase]} requests of this account are {phase} already")
        if self._accounts["", phase] >= OF_ALL_ACCOUNTS[phase]:
            raise BusyError(f"{OF_ALL_ACCOUNTS[phase]} requests are {phase} already")

    def _give_up(self, one: Connection, why: str) -> None:
        """Have a connection's own greenlet see its end, as if the client had hung up.

        Where it waits for a body it can still answer; whoever does not read an answer gets none.
        """
        _log.debug("gave up a connection of %s: %s", one.address or "a proxy", why)
        how = socket.SHUT_RD if one.phase == "sending" else socket.SHUT_RDWR
        _shut(one.socket, how)
        self._remove(one)
        one.given_up, one.deadline_s = why, float("inf")

    def _add(self, one: Connection) -> None:
        if one.given_up:
            return
        if one.address and not one.account:
            of_address = self._by_address.setdefault(one.address, _Group())
            self._bound(of_address, one, OF_AN_ADDRESS, BODIES_OF_AN_ADDRESS, " from this address")
            # Giving up the last one of a group has it removed.
            self._by_address.setdefault(one.address, of_address).add(one)
        self._bound(self._all, one, self._most, BODIES)
        self._all.add(one)
        self._accounts.update(_places(one))
        one.counted = True

    def _bound(
        self, group: _Group, new: Connection, most: int, bodies: int, where: str = ""
    ) -> None:
        """Make room for one more in a group."""
        if new.sends_as_stranger and len(group.bodies) >= bodies:
            self._give_up(next(iter(group.bodies)), f"there are too many requests to read{where}")
        elif len(group) >= most and (first := group.first()):
            self._give_up(first, f"there are too many connections{where}")

    def _remove(self, one: Connection) -> None:
        if not one.counted:
            return
        one.counted = False
        self._all.remove(one)
        self._accounts.subtract(_places(one))
        group = self._by_address.get(one.address)
        if group is not None:
            group.remove(one)
            if not group:
                del self._by_address[one.address]


def _shut(client: socket.socket, how: int) -> None:
    """Shut a socket down as its client would, so that whoever waits for it reads its end.

    gevent's own `shutdown` would raise in the greenlet that waits.
    """
    plain = get_original("socket", "socket")
    with contextlib.suppress(OSError), plain(fileno=os.dup(client.fileno())) as same:
        same.shutdown(how)


def _places(one: Connection) -> list[tuple[str, Phase]]:
    """Where a connection of an account is counted."""
    return [(one.account, one.phase), ("", one.phase)] if one.account else []


def connection_of(environ: dict[str, Any]) -> Connection | None:
    """The connection under a request; None without a server, as in tests."""
    return cast(Connection | None, environ.get(ENVIRON))
