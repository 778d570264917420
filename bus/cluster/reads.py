"""Reads streams of all servers of a cluster at once: one read for each group of cameras."""

from __future__ import annotations

import select
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis
from redis.exceptions import AskError, ClusterDownError, MovedError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bus.cluster.map import ClusterMap
from bus.cluster.places import tag_of

HOLD_MS: Final = 1000
"""Milliseconds that a server of a cluster may hold a read without an answer; we then ask again."""
GATHER_S: Final = 0.001
"""Seconds that the first answer waits for answers that other servers send at the same time."""
SILENT_S: Final = 5.0
"""Seconds past the deadline after which we drop the connection to a server."""

Answer = list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]]


@dataclass(frozen=True)
class _Question:
    """A pending read of one group's server."""

    places: Mapping[bytes, Any]
    count: int | None
    client: Redis
    connection: Any
    until_s: float
    """Monotonic time by which the answer is due."""


class HeldReads:
    """Reads each group's server over its own connection, where a read stays pending until answered.

    Streams of one slot can be read together, streams of several slots cannot. Reading changes
    nothing, so an unwanted read is dropped with its connection.
    """

    def __init__(self, cluster: ClusterMap) -> None:
        self._cluster = cluster
        self._asked: dict[bytes, _Question] = {}

    def read(self, places: Mapping[bytes, Any], block_ms: int | None, count: int | None) -> Answer:
        groups: dict[bytes, dict[bytes, Any]] = {}
        for name, place in places.items():
            groups.setdefault(tag_of(name), {})[name] = place
        try:
            for tag in [tag for tag, one in self._asked.items() if groups.get(tag) != one.places]:
                self._forget(tag)
            return self._wait(groups, block_ms, count)
        except (
            BaseException
        ):  # after any error, drop pending answers: a later read must not receive them
            self._cluster.doubt()
            self.drop()
            raise

    def _wait(
        self, groups: Mapping[bytes, dict[bytes, Any]], block_ms: int | None, count: int | None
    ) -> Answer:
        until_s = time.monotonic() + (block_ms or 0) / 1000
        while True:
            new = groups.keys() - self._asked.keys()
            for tag in new:
                self._ask(tag, groups[tag], block_ms is not None, count)
            # Servers asked without waiting answer at once: collect these answers in any case.
            answer = self._collect(until_s, () if block_ms is not None else new)
            if answer and self._asked:
                # Include answers that arrive a moment later: a batch instead of single frames.
                answer += self._collect(time.monotonic() + GATHER_S, ())
            self._require_answers()
            if answer or time.monotonic() >= until_s:
                return answer

    def _collect(self, until_s: float, needed: Iterable[bytes]) -> Answer:
        """Return the answers until then; wait for the `needed` groups even longer."""
        missing, answer = set(needed), Answer()
        while True:
            left_s = SILENT_S if missing else max(0.0, until_s - time.monotonic())
            for tag in self._ready(left_s):
                missing.discard(tag)
                answer += self._take(tag)
            if not missing:
                return answer
            self._require_answers()

    def _ask(self, tag: bytes, places: dict[bytes, Any], hold: bool, count: int | None) -> None:
        client = self._cluster.client(self._cluster.node_of(tag))
        connection: Any = client.connection_pool.get_connection()
        hold_ms = HOLD_MS if hold else None
        until_s = time.monotonic() + (hold_ms or 0) / 1000 + SILENT_S
        self._asked[tag] = _Question(places, count, client, connection, until_s)
        connection.send_command(*_xread(places, hold_ms, count))

    def _ready(self, timeout_s: float) -> list[bytes]:
        """Return the groups whose answer has arrived, or whose connection broke."""
        poll, tags = select.poll(), {}
        for tag, one in self._asked.items():
            socket = one.connection._sock  # redis-py cannot wait for several
            if socket is None:
                raise RedisConnectionError("the connection was closed")
            number = socket.fileno()
            tags[number] = tag
            poll.register(number, select.POLLIN)
        return [tags[number] for number, _ in poll.poll(timeout_s * 1000)]

    def _require_answers(self) -> None:
        now_s = time.monotonic()
        if any(now_s > one.until_s for one in self._asked.values()):
            raise RedisTimeoutError("a server of the cluster does not answer")

    def _take(self, tag: bytes) -> Answer:
        question = self._asked[tag]
        try:
            read: Any = question.client.parse_response
            answer: Answer | None = read(question.connection, "XREAD")
        except (MovedError, AskError, ClusterDownError):
            # Ask again next time, at the server that then serves the group.
            self._cluster.doubt()
            self._forget(tag)
            return []
        del self._asked[tag]
        question.client.connection_pool.release(question.connection)
        return answer or []

    def drop(self) -> None:
        """Drop all pending reads."""
        for tag in list(self._asked):
            self._forget(tag)

    def _forget(self, tag: bytes) -> None:
        question = self._asked.pop(tag)
        question.connection.disconnect()
        question.client.connection_pool.release(question.connection)


def _xread(places: Mapping[bytes, Any], hold_ms: int | None, count: int | None) -> list[Any]:
    parts: list[Any] = ["XREAD"]
    if hold_ms is not None:
        parts += ["BLOCK", hold_ms]
    if count is not None:
        parts += ["COUNT", count]
    return [*parts, "STREAMS", *places.keys(), *places.values()]
