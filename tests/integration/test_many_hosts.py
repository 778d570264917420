"""Hosts in network namespaces, their clocks seconds apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.cluster import Cluster, running_cluster
from benchmarks.namespaces import why_not
from contract.camera_registry import CameraRegistry
from contract.cameras import Camera, make_camera
from contract.keys import CameraKeys
from contract.members import Membership
from contract.totals import dropped_field, frames_field
from tests.servers.ingest_process import eventually

WAIT_S = 60.0


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    if reason := why_not():
        pytest.skip(reason)
    with running_cluster() as started:
        yield started


def test_hosts_seconds_apart_work_as_one_and_one_that_is_cut_off_loses_its_camera(
    cluster: Cluster,
) -> None:
    source = "demo:seed=3&fps=5&width=640"
    camera = CameraRegistry(cluster.redis).add(
        make_camera(name="hall", source=source, analysis_fps=5)
    )
    cluster.start(cluster.add("ingest"), "ingest", off_s=-2.0)
    hosts = {name: cluster.add(name) for name in ("first", "second")}
    cluster.start(hosts["first"], "worker", off_s=2.0)
    # A worker that is four seconds ahead of ingest would find every frame too old.
    assert eventually(lambda: frames(cluster, camera, "analysed") > 10, WAIT_S)
    assert ages_are_those_of_one_clock(cluster, camera)

    cluster.start(hosts["second"], "worker", off_s=-2.0)
    assert eventually(lambda: len(workers(cluster)) == 2, WAIT_S)
    # A camera that is handed over has no owner for a moment.
    assert eventually(lambda: cluster.owner("worker", camera) in hosts, WAIT_S)
    holder = cluster.owner("worker", camera)
    [other] = hosts.keys() - {holder}
    hosts[holder].cut()
    assert eventually(lambda: cluster.owner("worker", camera) == other, WAIT_S)
    before = frames(cluster, camera, "analysed")
    assert eventually(lambda: frames(cluster, camera, "analysed") > before + 5, WAIT_S)
    hosts[holder].mend()
    assert eventually(lambda: len(workers(cluster)) == 2, WAIT_S)
    assert ages_are_those_of_one_clock(cluster, camera)
    assert unexplained(cluster, camera) >= 0, "a frame was counted twice"
    # Those that overflowed while nobody analysed are counted with the next commit.
    assert eventually(lambda: unexplained(cluster, camera) <= most_under_way(cluster, camera))


def frames(cluster: Cluster, camera: Camera, stage: str) -> float:
    return cluster.totals(camera).get(frames_field(stage), 0.0)


def workers(cluster: Cluster) -> dict[str, str]:
    return Membership(cluster.redis, "worker", 2.0).live()


def ages_are_those_of_one_clock(cluster: Cluster, camera: Camera) -> bool:
    """Analysed after its capture, and less than the hosts' clocks are apart."""
    latest = cluster.latest(camera)
    assert latest is not None
    return 0.0 <= latest.analysed_at_s - latest.captured_at_s < 2.0


def unexplained(cluster: Cluster, camera: Camera) -> float:
    """Frames captured that were neither analysed nor dropped."""
    totals = cluster.totals(camera)
    dropped = sum(n for field, n in totals.items() if field.startswith(dropped_field("")))
    return totals["frames:captured"] - totals["frames:analysed"] - dropped


def most_under_way(cluster: Cluster, camera: Camera) -> int:
    return int(cluster.redis.xlen(CameraKeys(camera.id).frames))
