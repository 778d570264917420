"""A real Redis Cluster of three primaries: cameras spread over it, and go on when one dies."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError, TryAgainError
from rq import Queue, SimpleWorker
from rq.scheduler import RQScheduler
from rq.serializers import JSONSerializer

from bus import keys
from bus.bus import Bus
from bus.cluster.client import ClusterClient
from bus.cluster.map import ClusterMap
from bus.cluster.places import HOME, slot_of, tag_of
from bus.connection.client import check_server, connect
from bus.jobs.process import only
from bus.keys import CameraKeys
from bus.members.leases import LeaseStore
from bus.members.members import DeathWatch, Membership
from bus.stores.accounts.throttle import SignInThrottle
from bus.stores.cameras import CameraRegistry
from bus.stores.outcomes import OutcomeStore
from bus.streams import StreamReader
from contract.cameras.camera import Camera
from contract.errors import (
    RedisClusterError,
    RedisUnavailableError,
    TooManyAttemptsError,
)
from maskwatch import backup
from runtime.redis_address.hosts import Node
from runtime.settings import load_settings
from tests.accounts import key_client, make_app
from tests.builders import Source, add_camera, take_lease, totals_of
from tests.cluster_cameras import cameras_everywhere, commit, fates, node_of
from tests.secret_key import cameras_of
from tests.servers.certificates import Authority
from tests.servers.ingest_process import eventually
from tests.servers.redis_cluster import Cluster, redis_cluster
from tests.servers.redis_server import redis_server
from tests.threads import in_thread
from tests.worker_thread import worker_thread

LONG_S = 90.0
ran: list[str] = []


def note(word: str) -> None:
    ran.append(word)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def cluster(servers: Cluster) -> Iterator[ClusterClient]:
    for port in servers.primaries:
        servers.server(port).flushall()
        servers.server(port).script_flush()
    client = connect(servers.url, "tests")
    assert isinstance(client, ClusterClient)
    yield client
    client.close()


def test_cameras_lie_on_all_servers_and_what_is_shared_on_one(
    servers: Cluster, cluster: ClusterClient
) -> None:
    cameras = cameras_everywhere(cluster, each=2)
    for camera in cameras:
        Source(cluster, camera).publish()
        commit(OutcomeStore(cluster), take_lease(cluster, camera.id, "worker"), 1)
    assert cameras_of(cluster).all() == sorted(cameras, key=lambda one: (one.name.lower(), one.id))
    found = {port: servers.server(port).keys() for port in servers.primaries}
    homes = {port for port, names in found.items() for name in names if name.startswith(HOME)}
    assert homes == {cluster.servers.home().port}
    for camera in cameras:
        [port] = {port for port, names in found.items() for n in names if camera.id.encode() in n}
        assert port == node_of(cluster, camera).port
    CameraRegistry(cluster).remove(cameras[0].id)
    left = [servers.server(port).keys(f"*{cameras[0].id}*") for port in servers.primaries]
    assert left == [[], [], []]


def test_a_pipeline_is_answered_in_its_order_whatever_servers_have_its_keys(
    servers: Cluster, cluster: ClusterClient
) -> None:
    cameras = cameras_everywhere(cluster)
    leases = [take_lease(cluster, camera.id, "ingest") for camera in cameras]
    store = LeaseStore(cluster, "ingest", "test", 300)
    lost = leases[1]
    cluster.delete(CameraKeys(lost.camera_id).ingest_lease)
    for port in servers.primaries:
        servers.server(port).script_flush()
    assert store.renew_all(leases) == [one for one in leases if one != lost]
    with cluster.pipeline(transaction=False) as pipeline:
        for camera in cameras:
            pipeline.get(CameraKeys(camera.id).fence)
            pipeline.time()
        pipeline.hlen(keys.CAMERAS)
        found = pipeline.execute()
    assert found[:-1:2] == [b"1"] * len(cameras)
    assert found[-1] == len(cameras)
    with cluster.pipeline(transaction=False) as pipeline:
        pipeline.incr(CameraKeys(cameras[0].id).ingest_lease)
        pipeline.get(CameraKeys(cameras[1].id).fence)
        with pytest.raises(ResponseError, match="INCR"):
            pipeline.execute()


def test_a_transaction_over_two_cameras_is_refused_before_anything_is_sent(
    cluster: ClusterClient,
) -> None:
    first, other = (CameraKeys(one.id).fence for one in cameras_everywhere(cluster)[:2])
    with cluster.pipeline(transaction=True) as pipeline:
        pipeline.incr(first)
        pipeline.incr(keys.CAMERAS_REVISION)
        with pytest.raises(ValueError, match="several slots"):
            pipeline.execute()
    assert cluster.get(first) is None
    with cluster.pipeline(transaction=True) as pipeline:
        pipeline.incr(other)
        pipeline.get(other)
        assert pipeline.execute() == [1, b"1"]


def test_one_reader_reads_cameras_of_all_servers_each_frame_once(cluster: ClusterClient) -> None:
    sources = {one.id: Source(cluster, one) for one in cameras_everywhere(cluster, each=3)}
    places: dict[bytes, Any] = {CameraKeys(one).frames.encode(): b"0" for one in sources}
    reader, seen = StreamReader(cluster), list[tuple[bytes, bytes]]()

    def read(block_ms: int | None) -> None:
        for name, entries in reader.read(places, block_ms, 8):
            seen.extend((name, fields[b"seq"]) for _, fields in entries)
            places[name] = entries[-1][0]

    read(None)
    read(50)
    assert seen == []
    for number in range(1, 4):
        for source in sources.values():
            assert source.publish() == number
        if number == 2:
            read(None)  # does not wait, and takes what is there
            assert len(seen) > len(sources)
        while len(seen) < number * len(sources):
            read(50)
    assert sorted(seen) == sorted((name, b"%d" % n) for name in places for n in (1, 2, 3))
    reader.close()


def test_a_worker_and_the_dashboard_show_and_count_cameras_of_all_servers(
    cluster: ClusterClient,
) -> None:
    cameras = cameras_everywhere(cluster)
    client = key_client(make_app(cluster), cluster)
    with worker_thread(cluster), frames_of(cluster, cameras):
        for camera in cameras:
            place = f"/cameras/{camera.id}/snapshot.jpg"
            assert eventually(lambda place=place: client.get(place).status_code == 200, LONG_S)

    def all_known() -> bool:
        totals = [totals_of(cluster, one.id) for one in cameras]
        return all(fates(one) == one["frames:published"] > 0 for one in totals)

    with worker_thread(cluster):
        assert eventually(all_known, LONG_S)
    shown = client.get("/api/v1/cameras").get_json()["cameras"]
    assert {one["id"] for one in shown} == {camera.id for camera in cameras}
    assert b"maskwatch_frames_total" in client.get("/metrics").data


@contextmanager
def frames_of(redis: Redis, cameras: list[Camera]) -> Iterator[None]:
    """Frames come until the end."""
    sources, stop = [Source(redis, camera) for camera in cameras], threading.Event()

    def publish() -> None:
        while not stop.wait(0.1):
            for source in sources:
                source.publish()

    with in_thread(publish, stop):
        yield


def test_libraries_with_connections_of_their_own_keep_to_what_is_shared(
    cluster: ClusterClient,
) -> None:
    queue = Queue(keys.JOBS_QUEUE, connection=cluster, serializer=JSONSerializer)
    job = queue.enqueue(f"{__name__}.note", "done")
    later = queue.enqueue_in(timedelta(seconds=-1), f"{__name__}.note", "later")
    scheduler = RQScheduler([keys.JOBS_QUEUE], cluster, serializer=JSONSerializer)
    assert scheduler.acquire_locks()
    scheduler.enqueue_scheduled_jobs()
    worker = SimpleWorker(
        [keys.JOBS_QUEUE],
        connection=cluster,
        job_class=only(f"{__name__}.note"),
        serializer=JSONSerializer,
    )
    ran.clear()
    worker.work(burst=True, logging_level="ERROR")
    assert ran == ["done", "later"]
    assert job.is_finished
    assert later.is_finished
    throttle = SignInThrottle(cluster)
    for _ in range(6):
        throttle.begin("ada", "10.0.0.1").succeeded()
    for _ in range(5):
        throttle.begin("ada", "10.0.0.1")
    with pytest.raises(TooManyAttemptsError):
        throttle.begin("ada", "10.0.0.1")
    lock = cluster.lock(keys.AlertKeys.EVALUATOR, timeout=5)
    assert lock.acquire(blocking=False)
    lock.release()
    names = list(cluster.scan_iter("rq:job:*"))
    assert sorted(names) == sorted(f"rq:job:{one.id}".encode() for one in (job, later))


def test_a_dead_member_is_noticed_by_the_server_of_what_is_shared(
    servers: Cluster, cluster: ClusterClient
) -> None:
    other = connect(servers.url, "other")
    watches = [
        DeathWatch(one, Membership(one, "worker", 2.0), name, 2.0)
        for one, name in ((cluster, "a"), (other, "b"))
    ]
    for watch in watches:
        watch.beat("{}")
    assert set(watches[0].beat("{}")[0]) == {"a", "b"}
    other.close()
    del watches[1], watch
    assert eventually(lambda: watches[0].beat("{}") == (["a"], ["b"]), LONG_S)


def test_a_backup_of_one_redis_is_restored_into_a_cluster(
    redis: Redis, cluster: ClusterClient
) -> None:
    camera = add_camera(redis)
    Source(redis, camera).publish()
    commit(OutcomeStore(redis), take_lease(redis, camera.id, "worker"), 1)
    kept = backup.take(Bus(redis).backups, "tests")
    backup.restore(Bus(cluster).backups, kept, replace=False)
    assert cameras_of(cluster).all() == [camera]
    assert totals_of(cluster, camera.id) == totals_of(redis, camera.id)
    assert backup.take(Bus(cluster).backups, "tests").cameras == kept.cameras


def test_a_group_of_cameras_that_moves_to_another_server_loses_no_frame(
    servers: Cluster, cluster: ClusterClient
) -> None:
    camera = cameras_everywhere(cluster)[0]
    source, reader = Source(cluster, camera, max_frames=100), StreamReader(cluster)
    stream, store = CameraKeys(camera.id).frames.encode(), OutcomeStore(cluster)
    lease = take_lease(cluster, camera.id, "worker")
    tag = tag_of(stream)
    before = node_of(cluster, camera)
    after = next(node for node in cluster.servers.primaries() if node != before)
    old, new = servers.server(before.port), servers.server(after.port)
    slot = slot_of(tag)
    old_id, new_id = (one.execute_command("CLUSTER MYID") for one in (old, new))
    published, place, seen = 0, b"0", list[int]()

    def one_more() -> None:
        nonlocal published, place
        published += 1
        assert source.publish() == published
        commit(store, lease, published)
        [(_, entries)] = read(reader, {stream: place})
        place = entries[-1][0]
        seen.extend(int(fields[b"seq"]) for _, fields in entries)

    one_more()
    new.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", old_id)
    old.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", new_id)
    with pytest.raises(TryAgainError):
        source.publish()  # names keys that are not there: they may be on either server
    moving = old.execute_command("CLUSTER GETKEYSINSLOT", slot, 1000)
    assert len(moving) > 5
    old.execute_command("MIGRATE", "127.0.0.1", after.port, "", 0, 5000, "KEYS", *moving)
    assert cluster.get(CameraKeys(camera.id).position) == b"%d %d" % (published, published)
    assert totals_of(cluster, camera.id)["frames:published"] == published
    for one in (new, old):
        one.execute_command("CLUSTER SETSLOT", slot, "NODE", new_id)
    one_more()
    one_more()
    assert node_of(cluster, camera) == after
    assert seen == list(range(1, published + 1))
    assert totals_of(cluster, camera.id)["frames:analysed"] == published


def test_a_pipeline_that_meets_a_moved_slot_is_carried_out_whole(
    servers: Cluster, cluster: ClusterClient
) -> None:
    cameras = cameras_everywhere(cluster)
    names = [CameraKeys(camera.id).status for camera in cameras]
    moved = node_of(cluster, cameras[0])
    after = next(node for node in cluster.servers.primaries() if node != moved)
    slot = slot_of(tag_of(names[0].encode()))
    new_id = servers.server(after.port).execute_command("CLUSTER MYID")
    for port in servers.primaries:  # while the client goes by what it knew before
        servers.server(port).execute_command("CLUSTER SETSLOT", slot, "NODE", new_id)
    for count in (1, 2):
        with cluster.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.incr(name)
            assert pipeline.execute() == [count] * len(names)
    cluster.servers.doubt()
    assert node_of(cluster, cameras[0]) == after


def test_the_health_check_asks_every_server(tmp_path: Path) -> None:
    with redis_cluster(tmp_path) as servers:
        client = connect(servers.url, "tests")
        assert isinstance(client, ClusterClient)
        app = make_app(client).test_client()
        home = client.servers.home()
        away = next(port for port in servers.primaries if port != home.port)
        assert app.get("/healthz").json["error"] == "no_worker"
        servers.kill(away)
        answer = app.get("/healthz")
        assert (answer.status_code, answer.json["error"]) == (503, "redis_unavailable")
        client.close()


def test_a_silent_server_is_the_last_one_that_is_asked_for_the_slots(servers: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        known = [Node(*silent.getsockname()), Node("127.0.0.1", servers.primaries[0])]
        asked = ClusterMap(known, {}, {})
        for _ in range(6):
            asked.doubt(known[0])
            assert asked.home()
        with pytest.raises(BlockingIOError):
            silent.accept()


def read(reader: StreamReader, places: dict[bytes, bytes]) -> Any:
    """What comes, however long it takes until somebody knows who has it."""
    deadline_s = time.monotonic() + LONG_S
    while time.monotonic() < deadline_s:
        if found := reader.read(places, 50, 8):
            return found
    return []


def test_a_cluster_over_tls_is_reached_by_its_names_and_trusted_by_its_authority(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path, "ours")
    certificate, key = authority.issue("redis")
    options = {
        "tls-cluster": "yes",
        "tls-replication": "yes",
        "tls-cert-file": str(certificate),
        "tls-key-file": str(key),
        "tls-ca-cert-file": str(authority.file),
        "tls-auth-clients": "no",
    }
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    more = {"ssl": True, "ssl_ca_certs": str(authority.file)}
    with redis_cluster(tmp_path / "redis", "7", *given, **more) as servers:
        url = servers.url.replace("redis+", "rediss+")
        trusting = {"MASKWATCH_REDIS_CA_FILE": str(authority.file)}
        settings = load_settings({"MASKWATCH_REDIS_URL": url, **trusting})
        cluster = connect(settings.require_redis_url(), "tests")
        assert isinstance(cluster, ClusterClient)
        check_server(cluster)
        cameras = cameras_everywhere(cluster)
        reader = StreamReader(cluster)
        for camera in cameras:
            assert Source(cluster, camera).publish() == 1
            assert read(reader, {CameraKeys(camera.id).frames.encode(): b"0"})
        strange = connect(load_settings({"MASKWATCH_REDIS_URL": url}).require_redis_url())
        with pytest.raises(RedisUnavailableError, match="certificate"):
            check_server(strange)


def test_a_wrong_kind_of_address_and_a_wrong_password_are_said_in_words(
    servers: Cluster, tmp_path: Path
) -> None:
    port = servers.primaries[0]
    with pytest.raises(RedisClusterError, match=r"part of a cluster; use redis\+cluster://"):
        check_server(connect(f"redis://127.0.0.1:{port}/0"))
    with (
        redis_server(tmp_path) as alone,
        pytest.raises(RedisClusterError, match="is not a cluster; use redis://"),
    ):
        check_server(connect(f"redis+cluster://127.0.0.1:{alone.port}/"))
    locked = connect(f"redis+cluster://ada:s3cret@127.0.0.1:{port}/")
    with pytest.raises(RedisUnavailableError, match="refuses our user or password") as caught:
        check_server(locked)
    away = connect("redis+cluster://ada:s3cret@127.0.0.1:1,127.0.0.1:2/")
    with pytest.raises(RedisUnavailableError, match="cannot be reached") as caught_too:
        check_server(away)
    assert "s3cret" not in str(caught.value) + str(caught_too.value)
