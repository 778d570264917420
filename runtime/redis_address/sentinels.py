"""The address of a Redis with sentinels: `redis+sentinel://host:26379,other:26379/service`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from runtime.redis_address.hosts import read_hosts, read_login

SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")


SENTINEL_PORT: Final = 26379


EXAMPLE: Final = "redis+sentinel://host:26379,other:26379/service"


@dataclass(frozen=True)
class SentinelAddress:
    """The parts of an address with sentinels."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    """The primary's name among the sentinels."""
    server: dict[str, Any]
    """Options of connections to the primary: database, login, TLS."""
    asking: dict[str, Any]
    """Options of connections to a sentinel: TLS, and the sentinels' own login if they have one."""


def is_sentinel(url: str) -> bool:
    """Whether an address names sentinels."""
    return url.partition("://")[0] in SCHEMES


def parse_sentinel(url: str) -> SentinelAddress:
    """Parse an address; raise `ValueError` with the expected form, but without the login."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError(f"expected the primary's name among the sentinels: {EXAMPLE}")
    if not (database or "0").isdigit():
        raise ValueError(f"expected the number of a database at the end: {EXAMPLE}/0")
    tls: dict[str, Any] = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    server: dict[str, Any] = {"db": int(database or 0), **read_login(login)}
    asking: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        if name.startswith("ssl_") and tls:
            tls[name] = value
        elif name in {"sentinel_username", "sentinel_password"}:
            asking[name.removeprefix("sentinel_")] = value
        else:
            raise ValueError(
                "an address with sentinels takes the options sentinel_username, "
                "sentinel_password, and with rediss+sentinel:// those that begin with ssl_"
            )
    found = read_hosts(hosts, SENTINEL_PORT, EXAMPLE)
    return SentinelAddress(found, unquote(service), server | tls, asking | tls)
