"""Which server of a cluster serves which slots, and a client of each.

Commands are sent once. A command answered with a new place of its key (MOVED, ASK) was not carried
out, and is sent there. A command without an answer may have been carried out; its sender must
check.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from redis import ConnectionPool, Redis
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bus.cluster.connections import TaggedConnection, TaggedSSLConnection, name_plainly
from bus.cluster.places import CAMERA_TAGS, HOME, slot_of
from runtime.redis_address.hosts import Node

ASKING_TIMEOUT_S: Final = 1.0
"""Time-out for asking one server in seconds, so that a dead one does not delay the next."""
MOST_REDIRECTS: Final = 8
SPLIT_PAUSE_S: Final = 0.05
"""Seconds to wait while a slot moves and one command's keys are on two servers."""

_SLOTS: Final = {tag: slot_of(tag) for tag in (HOME, *CAMERA_TAGS)}


class ClusterMap:
    """The servers of one cluster. Safe from any thread, and after a fork: nothing is locked.

    Reads the slots when they are first needed, and again after a doubt.
    """

    def __init__(self, seeds: Sequence[Node], options: dict[str, Any], tls: dict[str, Any]) -> None:
        """`seeds`: some of its servers. `options` and `tls`: for connections to all servers."""
        self._seeds = tuple(seeds)
        self._options = {**options, **tls}
        self._class = TaggedSSLConnection if tls else TaggedConnection
        self._known: Mapping[bytes, Node] | None = None
        self._silent: Node | None = None
        self._home: Node | None = None
        self._servers: tuple[Node, ...] = ()
        self._clients: dict[Node, Redis] = {}
        self._asked = 0

    @property
    def name(self) -> str:
        """The cluster's address for messages."""
        seeds = ", ".join(f"{node.host}:{node.port}" for node in self._seeds)
        return f"{seeds} (a cluster)"

    def node_of(self, tag: bytes) -> Node:
        """The server of the keys with a tag.

        Raises:
            RedisError: no server answers, or none serves these keys.
        """
        nodes = self._known or self._ask()
        if tag not in nodes:
            self.doubt()
            raise ClusterDownError("CLUSTERDOWN no server serves some of the slots")
        return nodes[tag]

    def home(self) -> Node:
        """The server of the shared keys."""
        self._home = self.node_of(HOME)
        return self._home

    def primaries(self) -> list[Node]:
        """The servers that serve slots."""
        return sorted(set((self._known or self._ask()).values()))

    def doubt(self, silent: Node | None = None) -> None:
        """Read the slots again before the next use; ask a server that is `silent` last."""
        self._known, self._silent = None, silent

    def doubt_home(self) -> None:
        """The same when the server of the shared keys is silent."""
        self.doubt(self._home)

    def client(self, node: Node) -> Redis:
        """Return the client of one server, created once."""
        if node not in self._clients:
            self._clients[node] = self._make_client(node)
        return self._clients[node]

    def send(self, tag: bytes, command: Sequence[Any], options: dict[str, Any]) -> Any:
        """Carry out a command on keys with `tag`, at their current server."""
        return self.follow(
            tag,
            lambda client: client.execute_command(*command, **options),  # type: ignore[no-untyped-call]
            lambda client: _ask_first(client, command, options),
        )

    def follow(
        self,
        tag: bytes,
        carry_out: Callable[[Redis], Any],
        while_it_moves: Callable[[Redis], Any] | None = None,
    ) -> Any:
        """Return the result of `carry_out` with the client of the server of `tag`.

        It is called again for another server only if the last one carried out nothing.
        `while_it_moves`: the variant for a server to which a slot is moving.
        """
        node, act = self.node_of(tag), carry_out
        refusal: RedisError
        for _ in range(MOST_REDIRECTS):
            try:
                return act(self.client(node))
            except MovedError as error:
                refusal = error
                self.doubt()
                node, act = self._moved_to(tag, node, error), carry_out
            except AskError as error:
                if while_it_moves is None:
                    raise
                refusal = error
                node, act = Node(error.host or node.host, error.port), while_it_moves
            except TryAgainError as error:
                refusal = error
                time.sleep(SPLIT_PAUSE_S)
            except (RedisConnectionError, RedisTimeoutError, ClusterDownError):
                self.doubt(node)
                raise
        raise refusal

    def _moved_to(self, tag: bytes, before: Node, error: MovedError) -> Node:
        """Return the server of a tag: from the servers, or from the error until they agree."""
        found = self.node_of(tag)
        return found if found != before else Node(error.host or before.host, error.port)

    def close(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _ask(self) -> Mapping[bytes, Node]:
        """Ask one server after the other, starting with a different one each time."""
        known = tuple(dict.fromkeys((*self._servers, *self._seeds)))
        self._asked += 1
        first = self._asked % len(known)
        turns = (*known[first:], *known[:first])
        failure: RedisError = RedisConnectionError("no server of the cluster is named")
        for node in sorted(turns, key=lambda node: node == self._silent):
            try:
                self._known = found = self._ask_one(node)
                return found
            except RedisError as error:
                failure = error
        raise failure

    def _ask_one(self, node: Node) -> Mapping[bytes, Node]:
        timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), ASKING_TIMEOUT_S)
        client = self._make_client(node, **timeouts)
        try:
            answer: Any = client.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        finally:
            client.close()
        return self._understand(answer, node)

    def _understand(self, answer: Any, asked: Node) -> Mapping[bytes, Node]:
        """Note the servers in an answer to `CLUSTER SLOTS`; return the server of each tag."""
        ranges, servers = [], []
        for first, last, *holders in answer:
            # A server that does not know its own name has the address at which we asked it.
            nodes = [Node(_text(one[0]) or asked.host, int(one[1])) for one in holders]
            servers += nodes
            ranges.append((range(int(first), int(last) + 1), nodes[0]))
        self._servers = tuple(dict.fromkeys(servers))
        return {
            tag: node
            for tag in (HOME, *CAMERA_TAGS)
            for slots, node in ranges
            if _SLOTS[tag] in slots
        }

    def _make_client(self, node: Node, **more: Any) -> Redis:
        options = {**self._options, **more, "host": node.host, "port": node.port}
        client = Redis.from_pool(ConnectionPool(connection_class=self._class, **options))
        name_plainly(client)
        return client


def _ask_first(client: Redis, command: Sequence[Any], options: dict[str, Any]) -> Any:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.execute_command("ASKING")  # type: ignore[no-untyped-call]
        pipeline.execute_command(*command, **options)  # type: ignore[no-untyped-call]
        return pipeline.execute()[1]


def _text(host: Any) -> str:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    return "" if text == "?" else text
