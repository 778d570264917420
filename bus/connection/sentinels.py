"""A Redis watched by sentinels, which know the primary and promote another server if it fails.

`redis+sentinel://user:password@host:26379,other:26379/service/0`, or `rediss+sentinel://`.
"""

from __future__ import annotations

from typing import Any, Final

from redis import Redis
from redis.sentinel import Sentinel

from runtime.redis_address.sentinels import parse_sentinel

SENTINEL_TIMEOUT_S: Final = 1.0
"""Time-out for asking one sentinel in seconds, so that a dead one does not delay the next."""


def connect_by_sentinels(url: str, options: dict[str, Any]) -> Redis:
    """Return a client whose connections each go to the current primary.

    A former primary refuses writes, and the client then disconnects from it.
    """
    address = parse_sentinel(url)
    shared = {name: options[name] for name in ("retry", "protocol", "driver_info")}
    timeouts = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), SENTINEL_TIMEOUT_S)
    asking = {**shared, **timeouts, **address.asking}
    sentinel = Sentinel(list(address.sentinels), sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    client: Redis = sentinel.master_for(address.service, **{**options, **address.server})  # type: ignore[no-untyped-call]
    return client


def sentinel_name(redis: Redis) -> str:
    """Return the primary's name and the sentinels; empty for other kinds of clients."""
    manager = getattr(redis.connection_pool, "sentinel_manager", None)
    if manager is None:
        return ""
    asked = (one.connection_pool.connection_kwargs for one in manager.sentinels)
    # Sorted, because the last sentinel that answered comes first, and an error is logged once.
    hosts = ", ".join(sorted(f"{one['host']}:{one['port']}" for one in asked))
    return f"{redis.connection_pool.service_name} (by the sentinels {hosts})"  # type: ignore[attr-defined]
