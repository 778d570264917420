"""Our client of a Redis Cluster against redis-py's own, whose retries are off (ADR 0033).

python -m benchmarks.redis_cluster_client

Each line is a client in a process of its own, three times in turn, on three primaries of this
machine. CPU is the client's thread's, the least of five rounds: other load slows both, and adds to
neither.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
from redis import RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import RedisError
from redis.retry import Retry

from benchmarks.system import machine
from bus.cluster.client import ClusterClient
from bus.cluster.interface import connect_to_cluster
from bus.cluster.places import CAMERA_TAGS, tag_of, tagged
from bus.keys import CameraKeys
from runtime.redis_address.cluster import parse_cluster
from tests.servers.redis_cluster import redis_cluster

TIMEOUT_S: Final = 0.5
ROUNDS: Final = 5
TIMES: Final = 500
FORKS: Final = 5
HUNG_S: Final = 2.0
SCRIPT: Final = "return redis.call('HINCRBY', KEYS[1], 'n', 1)"


def names(count: int) -> list[str]:
    """One camera's key of each of so many groups."""
    found: dict[bytes, str] = {}
    number = 0
    while len(found) < min(count, len(CAMERA_TAGS)):
        name = CameraKeys(f"{number:012x}").totals
        found.setdefault(tag_of(name.encode()), name)
        number += 1
    return list(found.values())[:count]


def ours(url: str) -> ClusterClient:
    options = {"socket_timeout": TIMEOUT_S, "retry": Retry(NoBackoff(), 0), "driver_info": None}
    client = connect_to_cluster(url, {**options, "protocol": 2})
    assert isinstance(client, ClusterClient)
    return client


def theirs(url: str) -> RedisCluster:
    return RedisCluster(
        startup_nodes=[ClusterNode(*one) for one in parse_cluster(url).servers],  # type: ignore[no-untyped-call]
        retry=Retry(NoBackoff(), 0),
        require_full_coverage=False,
        socket_timeout=TIMEOUT_S,
        driver_info=None,
        protocol=2,
    )


def cpu_us(what: Callable[[], object]) -> int:
    """The thread's CPU time of one call."""
    found = []
    for _ in range(ROUNDS):
        began_s = time.thread_time()
        for _ in range(TIMES):
            what()
        found.append(1e6 * (time.thread_time() - began_s) / TIMES)
    return round(min(found))


def measured(kind: str, url: str) -> dict[str, Any]:
    """Everything about one client, in a fresh process."""
    before, began_s = psutil.Process().memory_info().rss, time.process_time()
    client: Any = ours(url) if kind == "ours" else theirs(url)
    # Ours adds the tags; redis-py's client must be given them.
    keys: list[Any] = [name if kind == "ours" else tagged(name.encode()) for name in names(10)]
    client.hset(keys[0], "n", 0)
    first_ms = 1000 * (time.process_time() - began_s)
    script = client.register_script(SCRIPT)

    def read_all() -> None:
        with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hget(key, "n")
            pipeline.execute()

    return {
        "client": kind,
        "first_command_cpu_ms": round(first_ms, 1),
        "hget_us": cpu_us(lambda: client.hget(keys[0], "n")),
        "script_us": cpu_us(lambda: script([keys[0]], [])),
        "pipeline_of_10_us": cpu_us(read_all),
        "xread_us": cpu_us(lambda: client.xread({_beside(keys[1]): "0"})),
        "memory_kib": (psutil.Process().memory_info().rss - before) // 1024,
        "counted_of_1_whose_answer_was_lost": counted(client, keys[2]),
        f"hung_of_{FORKS}_forks": hung(client),
    }


def _beside(key: Any) -> Any:
    return key + (b":stream" if isinstance(key, bytes) else ":stream")


def counted(client: Any, key: Any) -> int:
    """How often a pipeline counts whose last command lasts longer than the time-out."""
    client.delete(key)
    with suppress(RedisError), client.pipeline(transaction=False) as pipeline:
        pipeline.hincrby(key, "n", 1)
        pipeline.execute_command("BLPOP", _beside(key), 1)
        pipeline.execute()
    time.sleep(2 * TIMEOUT_S + 1)
    return int(client.hget(key, "n"))


def hung(client: Any) -> int:
    """Forks that wait for ever, while a thread of their parent reads the map of the slots."""
    ended = threading.Event()

    def read_map() -> None:
        if isinstance(client, ClusterClient):
            client.servers.doubt()
            client.servers.home()
        else:
            client.nodes_manager.initialize()

    def read_on() -> None:
        while not ended.is_set():
            with suppress(RedisError):
                read_map()

    thread = threading.Thread(target=read_on)
    thread.start()
    try:
        return sum(_hangs(read_map) for _ in range(FORKS))
    finally:
        ended.set()
        thread.join()


def _hangs(read_map: Callable[[], None]) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            read_map()
        finally:
            os._exit(0)
    until_s = time.monotonic() + HUNG_S
    while time.monotonic() < until_s:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True


def main() -> None:
    print(machine())
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, redis_cluster(Path(folder)) as cluster:
        for _ in range(3):
            for kind in ("ours", "redis-py's"):
                with context.Pool(1) as pool:
                    print(json.dumps(pool.apply(measured, (kind, cluster.url))))
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
