"""One Redis against a cluster of three primaries: age and cost of reading, and killed primaries.

python -m benchmarks.redis_cluster [--cameras 24] [--fps 8] [--seconds 10]

Servers, publisher and reader are real processes of this machine. The second part runs ingest and a
worker on demo cameras, kills the primary of a camera and then that of what is shared, measures how
long all cameras wait, and compares what was captured with what became of it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from benchmarks.system import machine
from bus.cluster.client import ClusterClient
from bus.cluster.places import tag_of
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.members.leases import LeaseStore
from bus.stores.cameras import CameraRegistry
from bus.stores.frames import FramePublisher
from bus.streams import StreamReader
from contract.cameras.camera import make_camera
from contract.people.totals import Increments, decode_totals
from tests.servers.redis_cluster import Cluster, redis_cluster
from tests.servers.redis_server import redis_server
from tests.servers.stages import stage

JPEG: Final = b"\xff\xd8" + b"\x5a" * 60_000
LONGEST_S: Final = 90.0


def publish(url: str, camera_ids: Sequence[str], fps: float, seconds: float) -> None:
    """Publish frames of all cameras, evenly over each period."""
    redis = connect(url, "publisher")
    store = LeaseStore(redis, "ingest", "publisher", 600)
    leases = [lease for one in camera_ids if (lease := store.acquire(one))]
    publishers = [FramePublisher(redis, lease, 8) for lease in leases]
    pause_s, due_s = 1 / fps / len(publishers), time.monotonic()
    end_s = due_s + seconds
    while due_s < end_s:
        for one in publishers:
            due_s += pause_s
            time.sleep(max(0.0, due_s - time.monotonic()))
            now_s = time.time()
            one.publish(JPEG, now_s, now_s, 1, Increments())


def reading(kind: str, url: str, cameras: int, fps: float, seconds: float) -> dict[str, Any]:
    """Read as a worker does, while frames come."""
    redis = connect(url, "reader")
    registry = CameraRegistry(redis)
    ids = [registry.add(make_camera(name=f"Gate {n}", source="demo:")).id for n in range(cameras)]
    places: dict[bytes, Any] = {CameraKeys(one).frames.encode(): b"0" for one in ids}
    reader, ages, asked = StreamReader(redis), list[float](), 0
    process = multiprocessing.get_context("spawn").Process(
        target=publish, args=(url, ids, fps, seconds)
    )
    process.start()
    began_s: float | None = None
    while process.is_alive():
        answer = reader.read(places, 50, 8)
        asked += 1
        for name, entries in answer:
            if began_s is None:
                began_s = time.thread_time()
            places[name] = entries[-1][0]
            ages += [time.time() - float(fields[b"at"]) for _, fields in entries]
    cpu_s = time.thread_time() - (began_s or 0.0)
    process.join()
    ages.sort()
    return {
        "part": "reading",
        "redis": kind,
        "cameras": cameras,
        "frames": len(ages),
        "published": round(fps * seconds * cameras),
        "age_ms_median": round(1000 * statistics.median(ages), 2),
        "age_ms_p99": round(1000 * ages[int(0.99 * len(ages))], 2),
        "reader_cpu_us_a_frame": round(1e6 * cpu_s / len(ages)),
        "reads_a_second": round(asked / seconds),
    }


def totals(redis: Redis, camera_id: str) -> dict[str, float]:
    """What was counted of a camera's frames."""
    counted: Any = redis.hgetall(CameraKeys(camera_id).totals)
    return decode_totals(counted)


def analysed(redis: Redis, ids: Sequence[str]) -> list[float] | None:
    """Frames analysed of each camera; None while somebody does not answer."""
    try:
        return [totals(redis, one).get("frames:analysed", 0.0) for one in ids]
    except RedisError:
        return None


def wait_until_all_go_on(redis: Redis, ids: Sequence[str], more: float) -> float:
    """Seconds until each camera has so many more frames analysed."""
    began_s, before = time.monotonic(), None
    while time.monotonic() - began_s < LONGEST_S:
        now = analysed(redis, ids)
        before = before or now
        if now and before and all(n >= was + more for was, n in zip(before, now, strict=True)):
            return time.monotonic() - began_s
        time.sleep(0.05)
    raise SystemExit("some camera is not counted any more")


def kill(cluster: Cluster, redis: ClusterClient, node: Any) -> None:
    for port in cluster.primaries:
        if cluster.servers[port].process.poll() is None:
            cluster.server(port).wait(1, 1000)
    cluster.kill(node.port)
    redis.servers.doubt()


def failover(folder: Path, cameras: int) -> list[dict[str, Any]]:
    """Kill the primary of a camera, and that of what is shared, under a system that runs."""
    found = []
    with ExitStack() as stack:
        cluster = stack.enter_context(redis_cluster(folder / "redis", replicas=3))
        redis = connect(cluster.url, "bench")
        assert isinstance(redis, ClusterClient)
        registry = CameraRegistry(redis)
        source = "demo:people=4&width=320"
        ids = [
            registry.add(make_camera(name=f"Gate {n}", source=source)).id for n in range(cameras)
        ]
        ingest, _ = (
            stack.enter_context(stage(name, cluster.url, folder / f"{name}.log"))
            for name in ("ingest", "worker")
        )
        wait_until_all_go_on(redis, ids, 10)
        home = redis.servers.home()
        of_cameras = [redis.servers.node_of(tag_of(CameraKeys(i).view.encode())) for i in ids]
        beside = next((node for node in of_cameras if node != home), home)
        for what, node in (("a camera's", beside), ("of what is shared", home)):
            kill(cluster, redis, node)
            took_s = wait_until_all_go_on(redis, ids, 5)
            found.append(
                {"part": "failover", "killed": what, "all_go_on_after_s": round(took_s, 1)}
            )
        ingest.terminate()
        ingest.wait()
        found.append({"part": "accounts", **settled(redis, ids)})
    return found


def settled(redis: Redis, ids: Sequence[str]) -> dict[str, Any]:
    """What became of all frames, once nothing is under way any more."""
    until_s = time.monotonic() + LONGEST_S / 3
    while True:
        found = accounts([totals(redis, one) for one in ids])
        if found["unexplained"] <= 0 or time.monotonic() > until_s:
            return found
        time.sleep(0.2)


def accounts(counted: Sequence[dict[str, float]]) -> dict[str, Any]:
    """What became of the frames that were captured."""
    sums: dict[str, float] = {}
    for one in counted:
        for name, amount in one.items():
            if name.startswith(("frames:", "dropped:", "refused:")):
                sums[name] = sums.get(name, 0.0) + amount
    fates = sum(n for name, n in sums.items() if name.startswith(("frames:analysed", "dropped:")))
    return {**sums, "unexplained": sums["frames:captured"] - fates}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=24)
    parser.add_argument("--fps", type=float, default=8.0)
    parser.add_argument("--seconds", type=float, default=10.0)
    chosen = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        load = (chosen.cameras, chosen.fps, chosen.seconds)
        for turn in range(2):
            with redis_server(folder / f"one-{turn}") as one:
                print(json.dumps(reading("one", one.url, *load)))
            with redis_cluster(folder / f"many-{turn}") as cluster:
                print(json.dumps(reading("cluster of 3", cluster.url, *load)))
        for line in failover(folder / "failover", 6):
            print(json.dumps(line))


if __name__ == "__main__":
    main()
