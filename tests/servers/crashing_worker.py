"""A worker that is killed at one of its commits: a real process and a real SIGKILL."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Literal

import cv2
from redis import Redis

from bus.bus import Bus
from bus.connection.client import connect
from bus.members.leases import Lease, LeaseStore
from bus.stores.cameras import CameraRegistry
from contract.cameras.camera import Camera
from tests.builders import ScriptedClassifier
from tests.passers import RectangleDetector
from worker import service
from worker.loop import Worker
from worker.networks import Networks

Moment = Literal["before", "during", "after"]
"""`during`: the script is on its way to Redis, and its answer is never read."""
NEVER_STALE_S = 600.0

CONTEXT = get_context("forkserver")


@dataclass(frozen=True)
class Crash:
    """Where a worker dies."""

    commit: int
    """At its first commit, its second, ..."""
    moment: Moment


class SteadyOwnership:
    """One camera, owned for good."""

    def __init__(self, camera: Camera, lease: Lease) -> None:
        self._owned = {camera.id: (camera, lease)}

    def owned(self) -> dict[str, tuple[Camera, Lease]]:
        return dict(self._owned)


class CrashingScript:
    """The commit's script, until it is time to die."""

    def __init__(self, redis: Redis, script: Any, crash: Crash) -> None:
        self._redis = redis
        self._script = script
        self._crash = crash
        self._commits = 0

    def __call__(self, keys: Sequence[str], args: Sequence[Any]) -> Any:
        self._commits += 1
        if self._commits < self._crash.commit:
            return self._script(keys=keys, args=args)
        if self._crash.moment == "during":
            connection = self._redis.connection_pool.get_connection()
            connection.send_command("EVAL", self._script.script, len(keys), *keys, *args)
        elif self._crash.moment == "after":
            self._script(keys=keys, args=args)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("outlived its SIGKILL")


def make_worker(redis: Redis, ownership: Any, clock: Callable[[], float] = time.time) -> Worker:
    """A worker as the service makes it, with networks that read rectangles."""
    networks = Networks(lambda _: RectangleDetector(), "yunet", ScriptedClassifier())
    return service.make_worker(
        Bus(redis),
        networks,
        ownership,
        threading.Event(),
        staleness_budget_s=NEVER_STALE_S,
        max_batch=16,
        clock=clock,
    )


def take_over(redis: Redis, camera_id: str, owner: str, dead: Sequence[str]) -> Lease:
    """The lease of a camera whose owners so far are dead."""
    lease = LeaseStore(redis, "worker", owner, 600).acquire(camera_id, dead)
    assert lease is not None
    return lease


def work(
    redis_url: str, camera_id: str, owner: str, dead: Sequence[str], crash: Crash | None, last: int
) -> None:
    """Take the camera over and work until the crash, or until frame `last` is committed."""
    cv2.setNumThreads(1)
    redis = connect(redis_url, owner)
    lease = take_over(redis, camera_id, owner, dead)
    # All frames wait in the stream: no pause of a busy machine's is the camera gone quiet.
    now_s = time.time()
    ownership = SteadyOwnership(CameraRegistry(redis).get(camera_id), lease)
    worker = make_worker(redis, ownership, lambda: now_s)
    if crash:
        commit = worker._store._commit
        commit._script = CrashingScript(redis, commit._script, crash)  # type: ignore[assignment]
    while worker._store.resume(camera_id).sequence < last:
        worker.step()


def run_worker(
    redis_url: str, camera_id: str, owner: str, dead: Sequence[str], crash: Crash | None, last: int
) -> int:
    """Run `work` in a process of its own; return how it ended: -9 when it was killed."""
    CONTEXT.set_forkserver_preload([__name__])
    process = CONTEXT.Process(target=work, args=(redis_url, camera_id, owner, dead, crash, last))
    process.start()
    process.join(60)
    assert process.exitcode is not None, "the worker hangs"
    return process.exitcode
