"""The address of a Redis Cluster: `redis+cluster://user:password@host:7000,other:7001/`.

Or `rediss+cluster://`. One of the named servers must answer to find all others.
"""

from __future__ import annotations

from typing import Any

from redis import ConnectionPool, Redis

from bus.cluster.client import ClusterClient
from bus.cluster.connections import HomeConnection, HomeSSLConnection
from bus.cluster.map import ClusterMap
from runtime.redis_address.cluster import parse_cluster


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
    cluster: ClusterMap | None = redis.connection_pool.connection_kwargs.get("cluster")
    return cluster.name if cluster else ""
