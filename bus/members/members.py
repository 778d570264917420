"""The living processes of a role, and the processes that just died.

A killed process sends no message, and silence alone does not distinguish it from a busy one for
some time. The server knows sooner, because the kernel closes a dead process's connections at once.
So each member keeps one connection open and sends its number with every heartbeat. If that number
is gone and the heartbeats have stopped, the member is dead. A wrong guess only costs a little work:
the fencing token refuses the writes of a member that was wrongly declared dead.
All times are the Redis server's.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from bus import keys
from bus.scripts.script import Header, Script
from runtime.logs import about

SILENT_BEATS: Final = 1.5
"""Missed heartbeats after which a member with a closed connection counts as dead."""
BEATS_A_LEASE: Final = 5
REMEMBERED_S: Final = 300.0
BACK_WITHIN_S: Final = 7.0
"""Seconds from the end of an outage until every process has noticed it: the longest wait for an
answer and the longest pause between attempts."""
MOST_TEXT_BYTES: Final = 4096


@dataclass(frozen=True)
class _Beat(Header):
    script: ClassVar = "beat"

    member: str
    kept_ms: int
    details: str
    connection: int


_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Member:
    """A process at its last heartbeat."""

    name: str
    silent_s: float
    """Seconds since the last heartbeat."""
    connection: int
    """Number of a connection that is open for as long as the process lives; 0 if it has none."""


def member_name() -> str:
    """Return a name for this process that no other process has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def host_of(member: str) -> str:
    """Return the host that the process with this name runs on."""
    return member.rsplit("-", 2)[0]


class Membership:
    """The processes of one role that are alive."""

    def __init__(self, redis: Redis, role: str, ttl_s: float) -> None:
        self._keys = (
            keys.members(role),
            keys.member_details(role),
            keys.member_connections(role),
        )
        self._ttl_ms = int(ttl_s * 1000)
        self._beat = Script(redis, _Beat)
        self._redis = redis

    def beat(self, member: str, details: str = "{}", connection: int = 0) -> list[Member]:
        """Send a heartbeat of `member`, with `details` as JSON; return all living members."""
        answer = self._beat(self._keys, _Beat(member, self._ttl_ms, details, connection))
        return [
            Member(_text(name), silent_ms / 1000, _number(number))
            for name, silent_ms, number in zip(answer[::3], answer[1::3], answer[2::3], strict=True)
        ]

    def live(self) -> dict[str, str]:
        """Return the live members and their details, without joining.

        Uses no script, because Redis runs one only for users that may write its keys, and no
        transaction, because a full Redis refuses even one that only reads.
        """
        members, details, _ = self._keys
        with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.time()
            pipeline.zrange(members, 0, -1, withscores=True)
            pipeline.hgetall(details)
            (seconds, microseconds), beats, said = pipeline.execute()
        since_ms = seconds * 1000 + microseconds // 1000 - self._ttl_ms
        alive = [name for name, beat_ms in beats if beat_ms >= since_ms]
        return {_text(name): _text(said.get(name, b"{}")) for name in alive}

    def leave(self, member: str) -> None:
        """Leave, so that no other member waits for the time-out."""
        members, *details = self._keys
        self._redis.zrem(members, member)
        for key in details:
            self._redis.hdel(key, member)


def _text(part: bytes) -> str:
    """Decode a name or details. Invalid text must not stop its readers."""
    return part[:MOST_TEXT_BYTES].decode(errors="replace")


def _number(part: bytes) -> int:
    return int(part) if part.isdigit() and len(part) < 20 else 0


class DeathWatch:
    """The heartbeats of one member, and the deaths that it knows of. Belongs to one thread."""

    def __init__(
        self,
        redis: Redis,
        membership: Membership,
        member: str,
        lease_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = OwnConnection(redis)
        self._membership = membership
        self._member = member
        self._lease_s = lease_s
        self._clock = clock
        self._number: int | None = None
        self._trusts_numbers_from_s = 0.0
        self._beat_at_s: float | None = None
        self._living: list[str] = []
        self._waits_for: list[str] = []
        self._waits_until_s = 0.0
        self._seen_at_s: dict[str, float] = {}
        self._came_at_s: dict[str, float] = {}

    def newer_than(self, settle_s: float) -> set[str]:
        """Return the members that joined less than `settle_s` ago, and well after this one.

        Members that joined within a quarter of `settle_s` count as started together.
        """
        now_s = self._clock()
        together_until_s = self._came_at_s.get(self._member, now_s) + settle_s / 4
        return {
            name
            for name, at_s in self._came_at_s.items()
            if now_s - at_s < settle_s and at_s > together_until_s
        }

    def beat(self, details: str) -> tuple[list[str], list[str]]:
        """Send a heartbeat; return the living members, with this one, and the recently dead ones.

        After an outage longer than a lease, members from before it count as alive for some time, so
        that the first process to return does not take all cameras.
        """
        now_s, number = self._clock(), self._connection.number()
        if self._number not in {None, number}:
            # The server restarted: connection numbers start again, and others send theirs soon.
            self._trusts_numbers_from_s = now_s + self._lease_s
        self._number = number
        members = self._membership.beat(self._member, details, number)
        dead = set(self._dead(members)) if now_s >= self._trusts_numbers_from_s else set()
        for name in dead:
            died = about(event="member_died")
            _log.warning("%s died: its connection to Redis is closed", name, extra=died)
            self._membership.leave(name)
        self._wait_for_others(now_s)
        there = [member.name for member in members if member.name not in dead]
        waited_for = self._waits_for if now_s < self._waits_until_s else []
        living = there + [one for one in waited_for if one not in {*there, *dead}]
        self._beat_at_s, self._living = now_s, living
        self._came_at_s = {name: self._came_at_s.get(name, now_s) for name in living}
        return living, self._lately_gone(living, now_s)

    def _wait_for_others(self, now_s: float) -> None:
        """At the first heartbeat after a long silence, note which members may return."""
        if self._beat_at_s is not None and now_s - self._beat_at_s > self._lease_s:
            self._waits_for = self._living
            self._waits_until_s = now_s + max(self._lease_s, BACK_WITHIN_S)

    def _dead(self, members: Iterable[Member]) -> list[str]:
        longest_s = SILENT_BEATS * self._lease_s / BEATS_A_LEASE
        silent = {m.connection: m.name for m in members if m.silent_s > longest_s}
        return [silent[number] for number in self._connection.closed(silent)]

    def _lately_gone(self, living: Iterable[str], now_s: float) -> list[str]:
        """Return former members that recently disappeared, whose leases are free."""
        self._seen_at_s |= dict.fromkeys(living, now_s)
        self._seen_at_s = {
            name: at_s for name, at_s in self._seen_at_s.items() if now_s - at_s < REMEMBERED_S
        }
        return [name for name, at_s in self._seen_at_s.items() if at_s < now_s]


class OwnConnection:
    """A connection that stays open while the process lives; also checks others' connections."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._client: Redis | None = None
        self._allowed = True

    def number(self) -> int:
        """Return this connection's number at the server; 0 if the server does not allow asking."""
        if self._client is None:
            pool = self._redis.connection_pool
            self._client = Redis(connection_pool=pool, single_connection_client=True)
        try:
            return int(self._client.client_id()) if self._allowed else 0
        except ResponseError as error:
            self._refused(error)
            return 0
        except RedisConnectionError:
            # Without this, it would reconnect to the old server instead of the new primary.
            self._client.close()
            self._client = None
            raise

    def closed(self, numbers: Iterable[int]) -> set[int]:
        """Return the `numbers` without an open connection; none if asking is not allowed."""
        asked = {number for number in numbers if number}
        if not asked or not self._allowed:
            return set()
        try:
            found = self._redis.client_list(client_id=[str(number) for number in sorted(asked)])
        except (ResponseError, ValueError) as error:
            # ValueError: a socket's path with a blank, which spoils the list.
            self._refused(error)
            return set()
        return asked - {int(client["id"]) for client in found}

    def _refused(self, error: ResponseError | ValueError) -> None:
        # Some hosted servers forbid CLIENT; leases still run out.
        _log.info("dead owners are noticed only when their leases expire: %s", error)
        self._allowed = False
