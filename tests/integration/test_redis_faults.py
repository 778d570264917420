"""Redis fails in every way it has: nothing is counted twice, nothing is lost unsaid, all go on."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import RedisError

from bus.bus import Bus
from bus.connection.client import check_server, connect, explain, wait_for_server
from bus.connection.trouble import trouble_of
from bus.keys import CameraKeys
from bus.members.leases import Lease, LeaseStore, Ownership
from bus.stores.frames import FramePublisher
from bus.stores.history import HistoryStore
from bus.stores.outcomes import OutcomeStore
from bus.stores.status import StatusStore
from contract.cameras.status import CameraStatus
from contract.errors import LeaseLostError, NotNewerError
from contract.people.minutes import DAY_MINUTES, minute_of, open_field, people_column
from contract.people.outcomes import Outcome
from contract.people.totals import Increments, people_field
from ingest.process.connection_state import ConnectionState
from ingest.process.outbox import Outbox
from ingest.process.reader_process import make_reporter
from ingest.process.reporter import Reporter
from ingest.process.service import make_service
from runtime.settings import load_settings
from runtime.vault import Vault
from tests.accounts import key_client, make_app, make_user
from tests.builders import add_camera, jpeg, take_lease, totals_of
from tests.integration.test_exactness import LAST_FRAME, Stage, counted
from tests.servers.crashing_worker import SteadyOwnership, make_worker
from tests.servers.faulty_link import FaultyLink, Moment
from tests.servers.redis_process import RedisProcess
from worker.loop import Worker

PASSWORD = "an0ther-quiet-word"  # noqa: S105 - of a Redis that lives for these tests
LEASE_S = 300.0
NEVER = threading.Event()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisProcess, ...]]:
    pair = tuple(RedisProcess(tmp_path_factory.mktemp("redis"), PASSWORD) for _ in range(2))
    for server in pair:
        server.start()
    yield pair
    for server in pair:
        server.kill()


@pytest.fixture
def primary(servers: tuple[RedisProcess, ...]) -> RedisProcess:
    servers[0].client().flushall()
    return servers[0]


@pytest.fixture
def replica(servers: tuple[RedisProcess, ...], primary: RedisProcess) -> Iterator[RedisProcess]:
    servers[1].replicate(primary)
    yield servers[1]
    servers[1].promote()


@pytest.fixture
def link(primary: RedisProcess) -> Iterator[FaultyLink]:
    between = FaultyLink(primary.port)
    between.start()
    yield between
    between.close()


@pytest.fixture
def direct(primary: RedisProcess) -> Redis:
    return primary.client()


@pytest.fixture
def linked(primary: RedisProcess, link: FaultyLink) -> Redis:
    return connect(primary.url_at(link.port), "linked")


@pytest.fixture
def full(direct: Redis) -> Iterator[Callable[[bool], None]]:
    def fill(is_full: bool) -> None:
        direct.config_set("maxmemory", 1 if is_full else 0)

    yield fill
    fill(False)


def eventually(condition: Callable[[], object]) -> bool:
    give_up_s = time.monotonic() + 30
    while not condition():
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.02)
    return True


def reporter_of(redis: Redis, lease: Lease, outbox: Outbox) -> Reporter:
    state = ConnectionState("i")
    return make_reporter(Bus(redis), lease, outbox, state, NEVER, stream_max_frames=8)


def step(worker: Worker) -> None:
    """What `Worker.run` does, once."""
    try:
        worker.step()
    except RedisError:
        worker._sessions.clear()


def committed(redis: Redis, position: str) -> int:
    """The newest frame that was committed."""
    found = redis.get(position)
    return int(found.split()[0]) if isinstance(found, bytes) else 0


def one_person(sequence: int) -> Outcome:
    increments = Increments()
    increments.add(people_field("mask"))
    return Outcome(sequence, 1, increments, "{}")


# Nothing twice, nothing lost


@pytest.mark.parametrize("moment", ["during", "after"])
def test_a_commit_that_is_sent_again_counts_once(
    link: FaultyLink, linked: Redis, direct: Redis, moment: Moment
) -> None:
    camera = add_camera(direct)
    lease, store = take_lease(direct, camera.id, "worker"), OutcomeStore(linked)
    store.resume(camera.id)
    store.commit(lease, one_person(1))
    link.cut(CameraKeys(camera.id).position.encode(), moment)
    with pytest.raises(RedisError):
        store.commit(lease, one_person(2))
    if moment == "after":
        with pytest.raises(NotNewerError):
            store.commit(lease, one_person(2))
    else:
        store.commit(lease, one_person(2))
    assert totals_of(direct, camera.id)["people:mask"] == 2


def test_a_commit_that_arrives_after_its_sender_gave_it_up_is_refused(
    primary: RedisProcess, link: FaultyLink, direct: Redis
) -> None:
    camera = add_camera(direct)
    lease = take_lease(direct, camera.id, "worker")
    impatient = Redis.from_url(primary.url_at(link.port), socket_timeout=0.2)
    store = OutcomeStore(impatient)
    store.resume(camera.id)
    store.commit(lease, one_person(1))
    link.be_silent()
    with pytest.raises(RedisError):
        store.commit(lease, one_person(2))
    again = OutcomeStore(direct)
    assert again.resume(camera.id).sequence == 1
    # What its successor makes of the same frame, and of the one after it.
    again.commit(lease, one_person(2))
    link.speak(old_connections_too=True)
    assert eventually(lambda: "refused:not_newer" in totals_of(direct, camera.id))
    assert totals_of(direct, camera.id)["people:mask"] == 2


def test_a_worker_whose_connection_is_cut_at_every_other_commit_counts_as_one_left_alone(
    redis: Redis, redis_url: str, primary: RedisProcess, link: FaultyLink, direct: Redis
) -> None:
    begin_s = time.time() - 60
    undisturbed = Stage(redis, "Undisturbed", begin_s)
    assert undisturbed.work(redis_url, 0, None) == 0
    cut = Stage(direct, "Cut", begin_s)
    linked = connect(primary.url_at(link.port), "worker")
    lease = LeaseStore(linked, "worker", "owner", 600).acquire(cut.camera.id)
    assert lease is not None
    worker = make_worker(linked, SteadyOwnership(cut.camera, lease))
    moments, position = Counter[str](), CameraKeys(cut.camera.id).position
    while (done := committed(direct, position)) < LAST_FRAME + 1:
        moment: Moment = "after" if moments["after"] < moments["during"] else "during"
        moments[moment] += 1
        link.cut(b"EVALSHA", moment)
        while link.cuts < moments.total():
            step(worker)
        while committed(direct, position) == done:
            step(worker)
    assert min(moments["during"], moments["after"]) > 5
    assert cut.agreed() == undisturbed.agreed() == {"people:mask": 2}
    assert (
        totals_of(direct, cut.camera.id)["frames:analysed"]
        == totals_of(redis, undisturbed.camera.id)["frames:analysed"]
    )


def test_frames_are_counted_exactly_while_publishing_is_cut(
    link: FaultyLink, linked: Redis, direct: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.process.reporter.REST_S", 0.0)
    camera, outbox = add_camera(direct), Outbox()
    lease = take_lease(direct, camera.id, "ingest")
    reporter = reporter_of(linked, lease, outbox)
    frames = 60
    for number in range(frames):
        outbox.skip()
        outbox.put(jpeg(), time.time())
        if number % 3 == 0:
            link.cut(CameraKeys(camera.id).frames.encode(), "after" if number % 2 else "during")
        reporter.step(NEVER)
    for _ in range(6):
        reporter.step(NEVER)
    reporter.flush()
    totals = totals_of(direct, camera.id)
    assert link.cuts > 15
    assert totals["frames:captured"] == 2 * frames
    assert totals["dropped:not_sampled"] == frames
    assert totals["frames:published"] + totals["dropped:unpublished"] == frames


# Full


def test_a_full_redis_keeps_processes_and_counts_and_refuses_pictures(
    direct: Redis, full: Callable[[bool], None]
) -> None:
    camera = add_camera(direct)
    worker = Ownership(direct, "worker", "w", LEASE_S)
    worker.step([camera.id])
    full(True)
    assert worker.step([camera.id]).keys() == {camera.id}
    ingest = Ownership(direct, "ingest", "i", LEASE_S)
    lease = ingest.step([camera.id])[camera.id]
    StatusStore(direct).write(lease, CameraStatus("live", time.time()))
    outbox = Outbox()
    reporter = reporter_of(direct, lease, outbox)
    outbox.put(jpeg(), time.time())
    reporter.step(NEVER)
    reporter.flush()
    totals = totals_of(direct, camera.id)
    assert totals["frames:captured"] == totals["dropped:unpublished"] == 1
    assert not direct.exists(CameraKeys(camera.id).frames)


def test_what_a_full_redis_refuses_of_a_commit_is_all_of_it(
    direct: Redis, full: Callable[[bool], None]
) -> None:
    camera = add_camera(direct)
    lease, store = take_lease(direct, camera.id, "worker"), OutcomeStore(direct)
    store.resume(camera.id)
    full(True)
    with pytest.raises(RedisError) as refused:
        store.commit(lease, one_person(1))
    assert trouble_of(refused.value) == "full"
    full(False)
    assert counted(direct, camera.id) == (Counter(), Counter(), Counter())
    assert not direct.exists(CameraKeys(camera.id).position)
    store.commit(lease, one_person(1))
    assert totals_of(direct, camera.id)["people:mask"] == 1


def test_history_can_be_read_from_a_full_redis(direct: Redis, full: Callable[[bool], None]) -> None:
    camera, today = add_camera(direct), minute_of(time.time()) // DAY_MINUTES
    lease, history = take_lease(direct, camera.id, "worker"), HistoryStore(direct)
    for day, amount in ((today - 1, 3), (today, 4)):
        field = open_field(day * DAY_MINUTES + 5, people_column("mask"))
        direct.hset(CameraKeys(camera.id).minutes, field, amount)
        history.pack_if_grown(lease, above_fields=0 if day < today else 99)

    def read() -> list[tuple[int, int]]:
        found = history.days([camera.id], today - 1, today)
        return [(day, int(columns[people_column("mask")].sum())) for _, day, columns in found]

    full(True)
    assert read() == [(today - 1, 3), (today, 4)]


# What people and programs are told


@pytest.fixture
def client(linked: Redis, direct: Redis) -> FlaskClient:
    app = make_app(linked)
    add_camera(direct)
    Ownership(direct, "worker", "w", LEASE_S).step([])
    return key_client(app, direct)


def said(client: FlaskClient, trouble: str, title: str) -> None:
    """Assert that programs, a monitoring system and people are told the same."""
    for path in ("/api/v1/cameras", "/healthz"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["error"]) == (503, "redis_unavailable"), path
        assert answer.json["cause"] == trouble
        assert int(answer.headers["Retry-After"]) > 0
        assert PASSWORD not in answer.text
    page = client.get("/wall/stream?cameras=", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert f"<h1>{title}</h1>" in page.text


def well(client: FlaskClient) -> bool:
    return client.get("/healthz").status_code == client.get("/api/v1/cameras").status_code == 200


def test_a_full_redis_is_said_to_be_full(client: FlaskClient, full: Callable[[bool], None]) -> None:
    assert well(client)
    full(True)
    said(client, "full", "Redis is full")
    assert client.get("/wall").status_code == 200, "who is known stays so"
    metrics = client.get("/metrics").text
    assert "maskwatch_redis_up 1.0" in metrics
    assert "maskwatch_redis_stores 0.0" in metrics
    full(False)
    assert well(client)
    assert "maskwatch_redis_stores 1.0" in client.get("/metrics").text


def test_a_replica_is_said_to_be_one_and_left_as_soon_as_the_address_leads_elsewhere(
    client: FlaskClient, link: FaultyLink, primary: RedisProcess, replica: RedisProcess
) -> None:
    assert well(client)
    link.target = replica.port
    link.cut_all()
    said(client, "read_only", "Redis is read-only")
    link.target = primary.port  # connections to the replica stay open
    assert eventually(lambda: well(client))


def test_clients_go_on_with_the_replica_that_was_promoted_at_their_address(
    linked: Redis,
    direct: Redis,
    link: FaultyLink,
    replica: RedisProcess,
) -> None:
    camera = add_camera(direct)
    lease, store = take_lease(direct, camera.id, "worker"), OutcomeStore(linked)
    store.resume(camera.id)
    store.commit(lease, one_person(1))
    replicated = replica.client()
    assert eventually(lambda: totals_of(replicated, camera.id).get("people:mask") == 1)
    replica.promote()
    link.target = replica.port
    link.cut_all()
    assert wait_for_server(linked, NEVER)
    store.resume(camera.id)
    store.commit(lease, one_person(2))
    assert totals_of(replicated, camera.id)["people:mask"] == 2


def test_a_password_that_changed_is_said_without_it_and_taken_up_when_it_is_right_again(
    client: FlaskClient,
    direct: Redis,
    link: FaultyLink,
    linked: Redis,
    caplog: pytest.LogCaptureFixture,
) -> None:
    direct.config_set("requirepass", "changed-under-way")
    try:
        link.cut_all()
        said(client, "locked", "Redis refuses our password")
        stop = threading.Event()
        threading.Timer(0.5, stop.set).start()
        with caplog.at_level(logging.WARNING):
            assert not wait_for_server(linked, stop)
        assert "refuses our user or password" in caplog.text
        assert PASSWORD not in caplog.text
    finally:
        direct.config_set("requirepass", PASSWORD)
    assert well(client)


def test_an_answer_that_never_comes_is_said_to_be_that(
    primary: RedisProcess, link: FaultyLink
) -> None:
    impatient = Redis.from_url(primary.url_at(link.port), socket_timeout=0.2)
    check_server(impatient)
    link.be_silent()
    with pytest.raises(RedisError) as silence:
        impatient.ping()
    assert "does not answer in time" in str(explain(silence.value, impatient))
    link.speak(old_connections_too=False)
    assert impatient.ping()


# Data


def test_wiped_data_stop_nobody_and_leave_nothing_of_cameras_that_are_gone(
    direct: Redis,
) -> None:
    camera = add_camera(direct)
    worker, ingest = (Ownership(direct, role, "m", LEASE_S) for role in ("worker", "ingest"))
    for member in (worker, ingest):
        member.step([camera.id])
    store = OutcomeStore(direct)
    store.resume(camera.id)
    lease, frames = worker.held()[camera.id], ingest.held()[camera.id]
    publisher = FramePublisher(direct, frames, 8)
    direct.flushall()
    with pytest.raises(LeaseLostError):
        publisher.publish(jpeg(), time.time(), time.time(), 1, Increments())
    with pytest.raises(LeaseLostError):
        store.commit(lease, one_person(1))
    assert direct.dbsize() == 0
    for member in (worker, ingest):
        assert member.step([]) == {}
        assert member.step([camera.id]).keys() == {camera.id}


def test_data_that_are_lost_are_said_to_be_lost(
    direct: Redis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("Gate", "Hall"):
        add_camera(direct, name)
    settings = load_settings({}, state_dir=tmp_path)
    bus = Bus(direct, Vault(settings.where_the_secret_key_is))
    service = make_service(bus, settings, "i", NEVER)
    service._read_cameras()
    assert not caplog.records
    direct.flushall()
    service._read_cameras()
    assert "Redis has lost data, and with them 2 cameras" in caplog.text
    page = make_app(direct).test_client().get("/sign-in").text
    assert "maskwatch restore FILE" in page
    make_user(direct)
    assert "maskwatch restore FILE" not in make_app(direct).test_client().get("/sign-in").text
