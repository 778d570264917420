"""A real Redis Cluster: primaries that divide the slots, and replicas of some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.system import free_port
from tests.servers.redis_server import CARRIED, Server, redis_server
from tests.servers.sentinels import wait_for

PRIMARIES = 3
NODE_TIMEOUT_MS = 1500
SLOTS = 16384
BUS = 10_000
"""The servers of a cluster speak to each other on a port that is so much higher."""


@dataclass(frozen=True)
class Cluster:
    """The servers by port: the first ones are primaries at first."""

    servers: dict[int, Server]
    primaries: tuple[int, ...]
    login: Mapping[str, Any]
    """What a client of one server needs."""

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.primaries)
        return f"redis+cluster://{hosts}/"

    def server(self, port: int) -> Redis:
        """A client of one server alone."""
        return Redis(port=port, **self.login)

    def kill(self, port: int) -> None:
        """Kill a server."""
        self.servers[port].process.kill()
        self.servers[port].process.wait()


@contextmanager
def redis_cluster(
    folder: Path, version: str = CARRIED, *options: str, replicas: int = 0, **login: Any
) -> Iterator[Cluster]:
    """Run primaries, and for each of the first `replicas` of them a replica, until the end.

    `login`: what a client of one server needs; with `ssl` they speak nothing but TLS.
    """
    common = (
        *("--cluster-enabled", "yes"),
        *("--cluster-node-timeout", str(NODE_TIMEOUT_MS)),
        *("--cluster-require-full-coverage", "no"),
        *("--repl-ping-replica-period", "1"),
        *options,
    )
    with ExitStack() as stack:
        servers: dict[int, Server] = {}
        for number in range(PRIMARIES + replicas):
            place = folder / f"server-{number}"
            port = free_bus_port()
            tls = ("--tls-port", str(port)) if login.get("ssl") else ()
            plain = 0 if tls else port
            one = stack.enter_context(redis_server(place, version, *common, *tls, port=plain))
            servers[port] = one
        ports = tuple(servers)
        cluster = Cluster(servers, ports[:PRIMARIES], login)
        _form(cluster, ports[PRIMARIES:])
        yield cluster


def free_bus_port() -> int:
    """A free port that leaves room for the one on which a cluster's servers speak."""
    return next(port for port in iter(free_port, None) if port < 65536 - BUS)


def form(servers: Mapping[int, Redis]) -> None:
    """Have servers divide the slots and meet; they come by port, all primaries."""
    share = SLOTS / len(servers)
    for number, server in enumerate(servers.values()):
        slots = range(round(number * share), round((number + 1) * share))
        server.execute_command("CLUSTER ADDSLOTS", *slots)
        server.execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
    _meet(servers)


def _meet(servers: Mapping[int, Redis]) -> None:
    first, *others = servers
    for port in others:
        servers[first].execute_command("CLUSTER MEET", "127.0.0.1", port)
    count = len(servers)
    wait_for(lambda: all(complete(one, count) for one in servers.values()), "a whole cluster")


def complete(server: Redis, count: int) -> bool:
    """Whether a server finds all slots served, and knows so many servers."""
    known = server.execute_command("CLUSTER INFO")
    return known["cluster_state"] == "ok" and int(known["cluster_known_nodes"]) == count


def _form(cluster: Cluster, replicas: tuple[int, ...]) -> None:
    form({port: cluster.server(port) for port in cluster.primaries})
    if not replicas:
        return
    _meet({port: cluster.server(port) for port in cluster.servers})
    for port, primary in zip(replicas, cluster.primaries, strict=False):
        of = cluster.server(primary).execute_command("CLUSTER MYID")
        cluster.server(port).execute_command("CLUSTER REPLICATE", of)
    wait_for(lambda: all(_linked(cluster, port) for port in replicas), "its replicas")


def _linked(cluster: Cluster, port: int) -> bool:
    return cluster.server(port).info("replication").get("master_link_status") == "up"
