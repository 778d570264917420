"""A primary of a real Redis Cluster is killed: counts stay exact, and the whole system goes on."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import NoPermissionError, RedisError

from benchmarks.system import free_port
from bus import keys
from bus.cluster.client import ClusterClient
from bus.cluster.places import tag_of
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.server import acl as redis_acl
from bus.stores.outcomes import OutcomeStore
from contract.errors import LeaseLostError, NotNewerError
from runtime.settings import load_settings
from tests.accounts import make_key
from tests.builders import Source, take_lease, totals_of
from tests.cluster_cameras import cameras_everywhere, commit, fates, node_of
from tests.secret_key import cameras_of
from tests.servers.ingest_process import eventually
from tests.servers.life import answers, picture_of, upload
from tests.servers.redis_cluster import redis_cluster
from tests.servers.redis_server import DEBIANS
from tests.servers.stages import Api, login, stage

LONG_S = 90.0


def test_what_was_counted_stays_exact_when_a_primary_is_killed(tmp_path: Path) -> None:
    with redis_cluster(tmp_path, replicas=3) as servers:
        cluster = connect(servers.url, "tests")
        assert isinstance(cluster, ClusterClient)
        cameras = cameras_everywhere(cluster)
        pairs = [(Source(cluster, one), take_lease(cluster, one.id, "worker")) for one in cameras]
        store, published = OutcomeStore(cluster), 0

        def one_more() -> None:
            nonlocal published
            published += 1
            for source, lease in pairs:
                assert source.publish() == published
                commit(store, lease, published)

        def goes_on() -> bool:
            try:
                return all(cluster.get(CameraKeys(one.id).position) for one in cameras)
            except RedisError:
                return False

        one_more()
        for port in servers.primaries:
            assert servers.server(port).wait(1, 10_000) == 1, "its replica has it"
        victim = cluster.servers.home()
        servers.kill(victim.port)
        assert eventually(goes_on, LONG_S)
        assert victim not in cluster.servers.primaries()
        assert victim not in {node_of(cluster, one) for one in cameras}
        one_more()
        for camera, (source, lease) in zip(cameras, pairs, strict=True):
            assert totals_of(cluster, camera.id)["frames:analysed"] == published == 2
            with pytest.raises(NotNewerError):
                commit(store, lease, 1)
            cluster.delete(CameraKeys(camera.id).ingest_lease)
            take_lease(cluster, camera.id, "ingest", "another")
            with pytest.raises(LeaseLostError):
                source.publish()
        assert cameras_of(cluster).all()
        cluster.close()


def test_the_whole_system_goes_on_with_a_cluster_whose_users_may_only_what_they_need(
    tmp_path: Path,
) -> None:
    acl, port = tmp_path / "acl", free_port()
    version: redis_acl.Server = "7" if DEBIANS.is_file() else "6.2"
    redis_acl.write(acl, version, cluster=True)
    secret = redis_acl.password_file(acl, "replica").read_text().strip()
    options = ("--aclfile", str(acl / redis_acl.ACL_FILE))
    options += ("--masteruser", "replica", "--masterauth", secret)
    with (acl / redis_acl.ACL_FILE).open("a") as file:
        file.write("user tests on nopass ~* &* +@all\n")
    tester = {"username": "tests", "password": "any"}
    with redis_cluster(tmp_path / "redis", version, *options, replicas=3, **tester) as servers:
        url = servers.url
        tests = connect(url.replace("://", "://tests:any@"), "tests")
        assert isinstance(tests, ClusterClient)
        api = Api(port, make_key(tests))
        with ExitStack() as stack:
            more = {"MASKWATCH_PORT": str(port)}
            processes = [
                stack.enter_context(stage(name, url, tmp_path / f"{name}.log", acl, **more))
                for name in ("ingest", "worker", "dashboard", "images")
            ]
            assert eventually(lambda: answers(api), LONG_S)
            cameras = [
                api.json("/api/v1/cameras", {"name": name, "source": "demo:people=6&width=320"})
                for name in ("North", "South", "West")
            ]
            assert eventually(lambda: upload(api)["images"][0]["faces"], LONG_S)
            assert eventually(lambda: all(picture_of(api, one["id"]) for one in cameras), LONG_S)
            victim = tests.servers.node_of(tag_of(CameraKeys(cameras[0]["id"]).view.encode()))
            servers.kill(victim.port)
            assert eventually(lambda: everywhere_more(tests, cameras, victim), LONG_S)
            assert eventually(lambda: all(picture_of(api, one["id"]) for one in cameras), LONG_S)
            assert eventually(lambda: upload(api)["images"][0]["faces"], LONG_S)
            assert [one.poll() for one in processes] == [None] * 4, "nobody was started anew"
            for process in processes:
                process.terminate()
            assert [one.wait(20) for one in processes] == [0] * 4
        for one in cameras:
            totals = totals_of(tests, one["id"])
            assert fates(totals) <= totals["frames:captured"], "no frame was counted twice"
        for server in servers.servers.keys() - {victim.port}:
            assert servers.server(server).acl_log() == []
        for role, command in MAY_NOT:
            settings = load_settings({"MASKWATCH_REDIS_URL": url, **login(acl, role)})
            client = connect(settings.require_redis_url(), role)
            with pytest.raises(NoPermissionError):
                client.execute_command(*command)


MAY_NOT = [
    ("worker", ("HGETALL", keys.USERS)),
    ("ingest", ("LPUSH", f"rq:queue:{keys.JOBS_QUEUE}", "x")),
    ("jobs", ("XADD", CameraKeys("c").frames, "*", "v", "1")),
    ("dashboard", ("SET", CameraKeys("c").worker_lease + "x", "1")),
    ("images", ("EVAL", "return 1", 0)),
]


def everywhere_more(redis: ClusterClient, cameras: list[Any], dead: Any) -> bool:
    """Whether cameras are counted on without the dead server."""
    redis.servers.doubt()
    try:
        if dead in redis.servers.primaries():
            return False
        before = [fates(totals_of(redis, one["id"])) for one in cameras]
        time.sleep(1.0)
        after = [fates(totals_of(redis, one["id"])) for one in cameras]
        return all(now > was for was, now in zip(before, after, strict=True))
    except RedisError:
        return False
