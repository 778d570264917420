"""A queue's jobs call the one function that they are for, whatever somebody left in Redis."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from bus.jobs.process import FORMER_NAMES, only

QUEUE = "fuzzed-jobs"
ran: list[str] = []


def allowed(word: str) -> None:
    ran.append(word)


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


def work(redis: Redis) -> None:
    job_class = only(f"{__name__}.allowed")
    worker = SimpleWorker([QUEUE], connection=redis, serializer=JSONSerializer, job_class=job_class)
    worker.work(burst=True, logging_level="CRITICAL")


def queue(redis: Redis) -> Queue:
    return Queue(QUEUE, connection=redis, serializer=JSONSerializer)


def test_the_function_of_the_queue_runs(redis: Redis) -> None:
    queue(redis).enqueue(f"{__name__}.allowed", "well")
    work(redis)
    assert ran == ["well"]


def test_a_job_that_waited_during_an_upgrade_runs(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FORMER_NAMES, f"{__name__}.allowed", "moved.away.allowed")
    queue(redis).enqueue("moved.away.allowed", "well")
    work(redis)
    assert ran == ["well"]


@pytest.mark.parametrize("function", FORMER_NAMES)
def test_a_job_with_a_former_name_is_still_there(function: str) -> None:
    assert callable(import_attribute(function))


def test_no_other_function_does(redis: Redis, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    job = queue(redis).enqueue("os.mkdir", str(canary))
    work(redis)
    assert not canary.exists()
    assert Job.fetch(job.id, redis, serializer=JSONSerializer).is_failed


def test_no_callback_runs_either(redis: Redis, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    job = queue(redis).enqueue(f"{__name__}.allowed", "well")
    redis.hset(job.key, mapping={"success_callback_name": "os.mkdir", "origin": str(canary)})
    redis.hset(job.key, "failure_callback_name", "os.mkdir")
    work(redis)
    assert ran == ["well"]
    assert not canary.exists()


def test_no_pickle_is_read(redis: Redis, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    job = queue(redis).enqueue(f"{__name__}.allowed", "well")
    redis.hset(job.key, "data", f"cos\nmkdir\n(S'{canary}'\ntR.")
    work(redis)
    assert (ran, canary.exists()) == ([], False)
