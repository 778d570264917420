"""Connections to servers of a cluster: they send each key with its tag, and note its server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from redis import Connection, Redis
from redis.connection import SSLConnection
from redis.exceptions import ClusterDownError, MovedError, ReadOnlyError
from redis.exceptions import ConnectionError as RedisConnectionError

from bus.cluster.places import as_sent, encoded, untagged


class _Packer:
    """Packs commands like another packer, with the keys of a cluster."""

    def __init__(self, packer: Any) -> None:
        self._packer = packer

    def pack(self, *command: Any) -> Any:
        return self._packer.pack(*as_sent(command))


class _Tagged:
    """Sends each key with its tag."""

    _command_packer: Any

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._command_packer = _Packer(self._command_packer)


class TaggedConnection(_Tagged, Connection):
    """A connection to one server of a cluster."""


class TaggedSSLConnection(_Tagged, SSLConnection):
    """The same over TLS."""


class Homes(Protocol):
    """Knows the server of the shared keys."""

    def home(self) -> tuple[str, int]:
        """Return host and port of that server."""

    def doubt(self) -> None:
        """Ask again before the next answer."""


class _Home:
    """Connects to the current server of the shared keys.

    A connection that leads to another server is closed, so that its next use finds the right one.
    """

    def __init__(self, cluster: Homes, **options: Any) -> None:
        self._cluster = cluster
        super().__init__(**options)

    def _connect(self) -> Any:
        self.host, self.port = self._cluster.home()
        try:
            return super()._connect()  # type: ignore[misc]
        except OSError:
            self._cluster.doubt()
            raise

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except (MovedError, ClusterDownError, ReadOnlyError, RedisConnectionError):
            self._cluster.doubt()
            self.disconnect()  # type: ignore[attr-defined]
            raise


class HomeConnection(_Home, TaggedConnection):
    """A connection to the server of the shared keys."""


class HomeSSLConnection(_Home, TaggedSSLConnection):
    """The same over TLS."""


def name_plainly(client: Redis) -> None:
    """Remove tags from the keys in a client's answers."""
    for command, rename in {
        "XREAD": _in_pairs,
        "SCAN": _in_scan,
        "BLPOP": _first,
        "BRPOP": _first,
    }.items():
        known: dict[str, Any] = client.response_callbacks
        before = known.get(command, lambda answer, **_: answer)
        client.set_response_callback(command, _after(before, rename))


def _after(before: Callable[..., Any], rename: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda answer, **options: rename(before(answer, **options))


def _in_pairs(answer: Any) -> Any:
    return [[untagged(encoded(name)), entries] for name, entries in answer or []]


def _in_scan(answer: Any) -> Any:
    cursor, names = answer
    return cursor, [untagged(name) for name in names]


def _first(answer: Any) -> Any:
    return answer and (untagged(answer[0]), *answer[1:])
