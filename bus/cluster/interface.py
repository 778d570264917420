"""All that other packages use of a Redis Cluster; import-linter forbids them the other files.

The address is `redis+cluster://user:password@host:7000,other:7001/`, or `rediss+cluster://`. One of
the named servers must answer to find all others.
"""

from __future__ import annotations

from typing import Any, Final

from redis import ConnectionPool, Redis

from bus.cluster.client import ClusterClient
from bus.cluster.connections import HomeConnection, HomeSSLConnection
from bus.cluster.map import ClusterMap
from bus.cluster.places import one_id_a_group, tagged_pattern
from bus.cluster.reads import Answer, HeldReads
from runtime.redis_address.cluster import parse_cluster

__all__: Final = (
    "Answer",
    "cluster_name",
    "connect_to_cluster",
    "held_reads",
    "one_camera_a_group",
    "tagged_pattern",
)


def connect_to_cluster(url: str, options: dict[str, Any]) -> Redis:
    """Return a client of the whole cluster; no server is contacted before the first command."""
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
    """Return the cluster's address; empty for other kinds of clients."""
    return redis.servers.name if isinstance(redis, ClusterClient) else ""


def one_camera_a_group(redis: Redis) -> tuple[str, ...]:
    """Return an id of no real camera for each group of a cluster; none for other kinds."""
    return one_id_a_group() if isinstance(redis, ClusterClient) else ()


def held_reads(redis: Redis) -> HeldReads | None:
    """Return a reader of all servers of the cluster; None for other kinds of clients."""
    return HeldReads(redis.servers) if isinstance(redis, ClusterClient) else None
