"""Connects to Redis, and explains why it cannot be reached."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from bus.cluster.interface import cluster_name, connect_to_cluster
from bus.connection.sentinels import connect_by_sentinels, sentinel_name
from bus.connection.trouble import leave_replica, words_for
from bus.wire import join_wire
from contract.errors import RedisClusterError, RedisTooOldError, RedisUnavailableError
from contract.redaction import redact_url
from runtime.backoff import Backoff
from runtime.logs import about
from runtime.redis_address.cluster import is_cluster
from runtime.redis_address.sentinels import is_sentinel

OLDEST_SERVER: Final = (6, 2)
SETTLED_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
"""Pauses between attempts to reach Redis double from the first to the longest."""

_log = logging.getLogger(__name__)


def connect(url: str, client_name: str = "maskwatch") -> Redis:
    """Return a client for `url`; the first command connects. Answers are bytes.

    Commands are not retried silently: Redis may have carried out a write that timed out, so its
    sender must check before counting anything twice.
    """
    options: dict[str, Any] = {
        "client_name": client_name,
        "socket_timeout": 5.0,
        "socket_connect_timeout": 2.0,
        "health_check_interval": 15,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "driver_info": None,  # CLIENT SETINFO: two round trips a connection, and one more right
    }
    if not url.startswith("unix://"):  # a unix socket takes no such option
        options["socket_keepalive"] = True
    if is_sentinel(url):
        return connect_by_sentinels(url, options)
    if is_cluster(url):
        return connect_to_cluster(url, options)
    return Redis.from_url(url, **options)


def check_server(redis: Redis) -> str:
    """Return the server's version.

    Raises:
        RedisTooOldError: it is older than 6.2.
        RedisClusterError: it is part of a cluster.
        RedisUnavailableError: it cannot be reached or used, with the reason.
    """
    try:
        found = redis.info("server")
    except RedisError as error:
        if "cluster support disabled" in str(error):
            raise RedisClusterError(
                f"Redis at {server_name(redis)} is not a cluster; use redis:// in its address"
            ) from error
        raise explain(error, redis) from error
    if found.get("redis_mode") == "cluster" and not cluster_name(redis):
        raise RedisClusterError(
            f"Redis at {server_name(redis)} is part of a cluster; use redis+cluster:// in its "
            "address, so that Maskwatch finds the other servers too"
        )
    version = str(found["redis_version"])
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_SERVER:
        raise RedisTooOldError(
            f"Redis at {server_name(redis)} is version {version}; Maskwatch needs 6.2 or newer. "
            "Upgrade it, or unset MASKWATCH_REDIS_URL to let `maskwatch run` start one."
        )
    return version


def explain(error: RedisError, redis: Redis) -> RedisUnavailableError:
    """Return `error` in plain words, with what to do."""
    return RedisUnavailableError(f"Redis at {server_name(redis)} {words_for(error)}")


def server_name(redis: Redis) -> str:
    """Return the client's address, without any password."""
    options = redis.connection_pool.connection_kwargs
    if found := sentinel_name(redis) or cluster_name(redis):
        return found
    if "path" in options:
        return redact_url(str(options["path"]))
    return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"


class Outage:
    """Handles outages of Redis: reports one once, pauses with back-off, reports its end."""

    def __init__(self, redis: Redis, stop: threading.Event) -> None:
        self._redis = redis
        self._stop = stop
        self._backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._failed_at_s = 0.0
        self._message = ""

    def report(self, error: RedisError) -> None:
        """Log a failure if it is news, and pause."""
        message = self.face(error)
        if message != self._message:
            _log.warning("%s", message, extra=about(event="redis_away"))
        self._message = message
        self._stop.wait(self._backoff.next_s())
        self._failed_at_s = time.monotonic()

    def wait_for_server(self) -> bool:
        """Wait for Redis. Return True once it is usable, False if told to stop before."""
        return wait_for_server(self._redis, self._stop)

    def face(self, error: RedisError) -> str:
        """Return the fault in plain words; disconnect from a server that became a replica."""
        leave_replica(error, self._redis)
        return str(explain(error, self._redis))

    def over(self) -> None:
        """Note that a command succeeded.

        The outage ends only after some time without failures: a full or read-only server still
        answers.
        """
        self._backoff.reset()
        if self._message and time.monotonic() - self._failed_at_s > SETTLED_S:
            back = about(event="redis_back")
            _log.info("Redis at %s answers again", server_name(self._redis), extra=back)
            self._message = ""


def _join(redis: Redis) -> None:
    try:
        join_wire(redis)
    except RedisError as error:
        raise explain(error, redis) from error


def wait_for_server(redis: Redis, stop: threading.Event) -> bool:
    """Wait for Redis. Return True once it is usable, False if `stop` is set before.

    A Redis that newer processes use counts as unusable.
    """
    backoff, said = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S), ""
    while not stop.is_set():
        try:
            check_server(redis)
            _join(redis)
            return True
        except RedisUnavailableError as error:
            if str(error) != said:
                _log.warning("%s", error)
            said = str(error)
            stop.wait(backoff.next_s())
    return False
