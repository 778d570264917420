"""A Redis that sentinels watch: they know which server is the primary, and make another one it.

`redis+sentinel://user:password@host:26379,other:26379/service/0`, or `rediss+sentinel://`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import Redis
from redis.sentinel import Sentinel

from contract.redis_hosts import read_hosts, read_login

SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
SENTINEL_PORT: Final = 26379
EXAMPLE: Final = "redis+sentinel://host:26379,other:26379/service"
SENTINEL_TIMEOUT_S: Final = 1.0
"""One that is down must not hold up the question to the next."""


@dataclass(frozen=True)
class SentinelAddress:
    """What such an address says."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    """The primary's name among the sentinels."""
    server: dict[str, Any]
    """What connections to it need: database, login, TLS."""
    asking: dict[str, Any]
    """What connections to a sentinel need: TLS, and a login of their own if they have one."""


def is_sentinel(url: str) -> bool:
    """Whether an address names sentinels."""
    return url.partition("://")[0] in SCHEMES


def parse_sentinel(url: str) -> SentinelAddress:
    """Read an address; raise `ValueError` with what was expected, and without its login."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError(f"expected the primary's name among the sentinels: {EXAMPLE}")
    if not (database or "0").isdigit():
        raise ValueError(f"expected a number of a database, found {database!r}: {EXAMPLE}/0")
    tls: dict[str, Any] = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    server: dict[str, Any] = {"db": int(database or 0), **read_login(login)}
    asking: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        if name.startswith("ssl_") and tls:
            tls[name] = value
        elif name in {"sentinel_username", "sentinel_password"}:
            asking[name.removeprefix("sentinel_")] = value
        else:
            raise ValueError(f"{name} is no option of an address of sentinels")
    found = read_hosts(hosts, SENTINEL_PORT, EXAMPLE)
    return SentinelAddress(found, unquote(service), server | tls, asking | tls)


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
