"""A Redis that sentinels watch: they know which server is the primary, and make another one it.

`redis+sentinel://user:password@host:26379,other:26379/service/0`, or `rediss+sentinel://`.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis
from redis.sentinel import Sentinel

from runtime.redis_address.sentinels import parse_sentinel

SENTINEL_TIMEOUT_S: Final = 1.0
"""One that is down must not hold up the question to the next."""


def connect_by_sentinels(url: str, options: dict[str, Any]) -> Redis:
    """Return a client of whichever server is the primary as each connection is made.

    A server that was the primary and is no more refuses what is written, and is left.
    """
    address = parse_sentinel(url)
    shared = {name: options[name] for name in ("retry", "protocol", "driver_info")}
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), SENTINEL_TIMEOUT_S)
    asking = {**shared, **timeouts, **address.asking}
    sentinel = Sentinel(list(address.sentinels), sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    client: Redis = sentinel.master_for(address.service, **{**options, **address.server})  # type: ignore[no-untyped-call]
    return client


def sentinel_name(redis: Redis) -> str:
    """The primary and who is asked for it; nothing for a client of another kind."""
    manager = getattr(redis.connection_pool, "sentinel_manager", None)
    if manager is None:
        return ""
    asked = (one.connection_pool.connection_kwargs for one in manager.sentinels)
    # Sorted, because the one that answered last comes first: an error is news only once.
    hosts = ", ".join(sorted(f"{one['host']}:{one['port']}" for one in asked))
    return f"{redis.connection_pool.service_name} (by the sentinels {hosts})"  # type: ignore[attr-defined]
