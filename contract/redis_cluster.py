"""The address of a Redis Cluster: `redis+cluster://user:password@host:7000,other:7001/`.

Or `rediss+cluster://`. Those named are asked who serves what; one that answers is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from redis import ConnectionPool, Redis

from contract.cluster_client import ClusterClient
from contract.cluster_connections import HomeConnection, HomeSSLConnection
from contract.cluster_map import ClusterMap, Node
from contract.redis_hosts import read_hosts, read_login

SCHEMES: Final = ("redis+cluster", "rediss+cluster")
PORT: Final = 6379
EXAMPLE: Final = "redis+cluster://host:7000,other:7001/"


@dataclass(frozen=True)
class ClusterAddress:
    """What such an address says."""

    servers: tuple[Node, ...]
    login: dict[str, str]
    tls: dict[str, Any]
    """Options of connections; empty without TLS."""


def is_cluster(url: str) -> bool:
    """Whether an address names a cluster."""
    return url.partition("://")[0] in SCHEMES


def parse_cluster(url: str) -> ClusterAddress:
    """Read an address; raise `ValueError` with what was expected, and without its login."""
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    if parts.path.strip("/") not in {"", "0"}:
        raise ValueError(f"a cluster has no databases, found {parts.path!r}: {EXAMPLE}")
    secured = parts.scheme.startswith("rediss")
    tls: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        if not (secured and name.startswith("ssl_")):
            raise ValueError(f"{name} is no option of an address of a cluster")
        tls[name] = value
    return ClusterAddress(
        tuple(Node(*one) for one in read_hosts(hosts, PORT, EXAMPLE)),
        read_login(login),
        {"ssl_cert_reqs": "required", **tls} if secured else {},
    )


def connect_to_cluster(url: str, options: dict[str, Any]) -> Redis:
    """Return a client of the whole cluster; nobody is asked before the first command."""
    address = parse_cluster(url)
    options = {**options, **address.login}
    cluster = ClusterMap(address.servers, options, address.tls)
    pool = ConnectionPool(
        connection_class=HomeSSLConnection if address.tls else HomeConnection,
        cluster=cluster,
        **options,
        **address.tls,
    )
    return ClusterClient.from_pool(pool)


def cluster_name(redis: Redis) -> str:
    """Where the cluster is; nothing for a client of another kind."""
    cluster: ClusterMap | None = redis.connection_pool.connection_kwargs.get("cluster")
    return cluster.name if cluster else ""
