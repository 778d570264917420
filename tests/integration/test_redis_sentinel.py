"""Real sentinels, a primary that is killed, and services that go on with the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from bus import keys
from bus.connection.client import check_server, connect, server_name
from bus.keys import CameraKeys
from bus.members.leases import LeaseStore
from bus.server import acl as redis_acl
from bus.stores.accounts.throttle import SignInThrottle
from contract.errors import LeaseLostError, RedisUnavailableError, SettingsError
from runtime.redis_address.sentinels import parse_sentinel
from runtime.settings import load_settings
from tests.builders import Source, add_camera, take_lease
from tests.secret_key import cameras_of
from tests.servers.ingest_process import eventually
from tests.servers.sentinels import Watched, watched_redis
from tests.servers.stages import login, stage

LONG_S = 90.0


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with watched_redis(tmp_path / "redis") as servers:
        yield servers


def analysed(redis: Redis, names: CameraKeys) -> float:
    return float(redis.hget(names.totals, "frames:analysed") or 0)


def probe(redis: Redis) -> Job:
    return Queue(keys.JOBS_QUEUE, connection=redis, serializer=JSONSerializer).enqueue(
        "ingest.probe.probe.probe_camera", "demo:", None, job_timeout=60, result_ttl=300
    )


def test_cameras_and_jobs_go_on_after_the_primary_was_killed(
    watched: Watched, tmp_path: Path
) -> None:
    first = connect(watched.url, "tests")
    camera = add_camera(first, source="demo:width=640")
    names = CameraKeys(camera.id)
    with ExitStack() as stack:
        stages = [
            stack.enter_context(stage(name, watched.url, tmp_path / f"{name}.log"))
            for name in ("ingest", "worker", "jobs")
        ]
        assert eventually(lambda: analysed(first, names) > 0, LONG_S)
        job = probe(first)
        assert eventually(lambda: job.is_finished, LONG_S)

        old = watched.kill_primary()
        redis = connect(watched.url, "tests")
        assert f":{old}" not in str(redis.connection_pool.get_master_address())
        before = analysed(redis, names)
        assert before > 0, "what was counted was copied to the new primary"
        assert eventually(lambda: analysed(redis, names) > before + 5, LONG_S)
        after = probe(redis)
        assert eventually(lambda: after.is_finished, LONG_S)
        assert [one.poll() for one in stages] == [None, None, None], "nobody was started anew"
        totals = {k.decode(): float(v) for k, v in redis.hgetall(names.totals).items()}
        fates = totals["frames:analysed"] + sum(
            amount for field, amount in totals.items() if field.startswith("dropped:")
        )
        assert fates <= totals["frames:captured"], "no frame was counted twice"


def test_a_lease_of_the_old_primary_is_fenced_off_on_the_new_one(watched: Watched) -> None:
    redis = connect(watched.url, "tests")
    camera = add_camera(redis)
    source = Source(redis, camera)
    source.publish()
    redis.wait(1, 10_000)  # until the replica has it
    scheduler = RQScheduler([keys.ALERTS_QUEUE], redis, serializer=JSONSerializer)
    throttle = SignInThrottle(redis)
    assert scheduler.acquire_locks()
    throttle.begin("ada", "10.0.0.1")
    watched.kill_primary()
    assert eventually(lambda: LeaseStore(redis, "ingest", "x", 300).renew(source.lease), LONG_S)
    source.publish()
    redis.delete(CameraKeys(camera.id).ingest_lease)
    take_lease(redis, camera.id, "ingest", "another")
    with pytest.raises(LeaseLostError):
        source.publish()
    # What libraries do with a connection of their own.
    RQScheduler([keys.IMAGES_QUEUE], redis, serializer=JSONSerializer).acquire_locks()
    scheduler.enqueue_scheduled_jobs()
    throttle.begin("ada", "10.0.0.1").succeeded()


def test_sentinels_and_replicas_have_users_of_their_own(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    redis_acl.write(acl, "6.2", sentinels=True)
    with watched_redis(tmp_path / "redis", acl) as watched:
        settings = {"MASKWATCH_REDIS_URL": watched.url, **login(acl, "dashboard")}
        redis = connect(load_settings(settings).require_redis_url(), "tests")
        camera = add_camera(redis)
        [copy] = watched.servers.keys() - {watched.primary()}
        settings["MASKWATCH_REDIS_URL"] = watched.servers[copy].url
        replica = connect(load_settings(settings).require_redis_url(), "tests")
        assert eventually(lambda: replica.hget(keys.CAMERAS, camera.id), LONG_S)
        watched.kill_primary()
        assert eventually(lambda: cameras_of(redis).all() == [camera], LONG_S)


def test_where_there_is_no_primary_or_no_sentinel_the_words_name_both(watched: Watched) -> None:
    nobody = connect(watched.url.replace("station", "elsewhere"))
    with pytest.raises(RedisUnavailableError, match=r"elsewhere \(by the sentinels 127\.0\.0\.1:"):
        check_server(nobody)
    away = connect("redis+sentinel://ada:s3cret@127.0.0.1:1/station")
    with pytest.raises(RedisUnavailableError, match="cannot be reached") as caught:
        check_server(away)
    assert "s3cret" not in str(caught.value) + server_name(away)


def test_an_address_of_sentinels_says_whom_to_ask_for_what_and_as_whom() -> None:
    found = parse_sentinel("rediss+sentinel://ada:p%40ss@a:1,[::1]:2,c/main/3?ssl_ca_certs=/ca")
    assert found.sentinels == (("a", 1), ("::1", 2), ("c", 26379))
    assert (found.service, found.server["db"]) == ("main", 3)
    assert (found.server["username"], found.server["password"]) == ("ada", "p@ss")
    assert found.server["ssl_ca_certs"] == found.asking["ssl_ca_certs"] == "/ca"
    assert "password" not in found.asking


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+sentinel://ada:s3cret@a:1", "the primary's name"),
        ("redis+sentinel://ada:s3cret@a:1,/main", "host:port"),
        ("redis+sentinel://ada:s3cret@a:x/main", "host:port"),
        ("redis+sentinel://ada:s3cret@a/main/x", "number of a database"),
        ("redis+sentinel://ada:s3cret@a/main?nonsense=1", "takes the options sentinel_username"),
        ("rediss+sentinel://ada:s3cret@a/main?ssl_cert_reqs=none", "protects against nobody"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_no_password(url: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings({"MASKWATCH_REDIS_URL": url})
    assert "s3cret" not in str(caught.value)
