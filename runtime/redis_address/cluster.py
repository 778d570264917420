"""The address of a Redis Cluster: `redis+cluster://user:password@host:7000,other:7001/`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from runtime.redis_address.hosts import Node, read_hosts, read_login

SCHEMES: Final = ("redis+cluster", "rediss+cluster")


PORT: Final = 6379


EXAMPLE: Final = "redis+cluster://host:7000,other:7001/"


@dataclass(frozen=True)
class ClusterAddress:
    """The parts of a cluster's address."""

    servers: tuple[Node, ...]
    login: dict[str, str]
    tls: dict[str, Any]
    """Options of connections; empty without TLS."""


def is_cluster(url: str) -> bool:
    """Whether an address names a cluster."""
    return url.partition("://")[0] in SCHEMES


def parse_cluster(url: str) -> ClusterAddress:
    """Parse an address; raise `ValueError` with the expected form, but without the login."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    if parts.path.strip("/") not in {"", "0"}:
        raise ValueError(f"a cluster has no databases: {EXAMPLE}")
    secured = parts.scheme.startswith("rediss")
    tls: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        if not (secured and name.startswith("ssl_")):
            raise ValueError("a cluster's address takes options that begin with ssl_ only")
        tls[name] = value
    return ClusterAddress(
        tuple(Node(*one) for one in read_hosts(hosts, PORT, EXAMPLE)),
        read_login(login),
        {"ssl_cert_reqs": "required", **tls} if secured else {},
    )
