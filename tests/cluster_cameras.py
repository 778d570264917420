"""Cameras on every server of a cluster, and what tests do with them."""

from __future__ import annotations

from typing import Any

from bus.cluster.client import ClusterClient
from bus.cluster.places import tag_of
from bus.keys import CameraKeys
from bus.members.leases import Lease
from bus.stores.outcomes import OutcomeStore
from contract.cameras.camera import Camera
from contract.people.outcomes import Outcome
from contract.people.totals import Increments
from runtime.redis_address.hosts import Node
from tests.builders import add_camera


def cameras_everywhere(cluster: ClusterClient, each: int = 1) -> list[Camera]:
    """Cameras until every server has so many at least."""
    cameras: list[Camera] = []
    there: list[Any] = []
    while any(there.count(node) < each for node in cluster.servers.primaries()):
        cameras.append(add_camera(cluster, f"Gate {len(cameras)}"))
        there.append(node_of(cluster, cameras[-1]))
    return cameras


def node_of(cluster: ClusterClient, camera: Camera) -> Node:
    return cluster.servers.node_of(tag_of(CameraKeys(camera.id).view.encode()))


def commit(store: OutcomeStore, lease: Lease, sequence: int) -> None:
    counts = Increments()
    counts.add("frames:analysed")
    store.commit(lease, Outcome(sequence, 1, counts, "{}"))


def fates(totals: dict[str, float]) -> float:
    """Frames whose fate is known."""
    return sum(n for name, n in totals.items() if name.startswith(("frames:analysed", "dropped:")))
