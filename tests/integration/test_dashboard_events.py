"""Server-sent events: states and counted people, for who may know of them, from where they left."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.bus import Bus
from bus.connection import server
from bus.connection.client import connect
from bus.stores.cameras import CameraRegistry
from bus.stores.outcomes import PEOPLE_KEPT
from bus.stores.people import PAGE
from contract.errors import FellBehindError
from contract.people.people import Person
from dashboard.live.people_feed import make_people_feed
from tests.accounts import accounts_of, key_client, make_app
from tests.integration.test_dashboard_hub import FakeCamera, eventually
from tests.integration.test_dashboard_server import Server, blocked
from tests.integration.test_dashboard_streams import services_of

EVENTS = "/api/v1/events"
Event = dict[str, Any]


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


@contextmanager
def listening(client: FlaskClient, query: str = "", last: str = "") -> Iterator[Iterator[Event]]:
    headers = {"Last-Event-ID": last} if last else {}
    answer = client.get(f"{EVENTS}{query}", headers=headers, buffered=False)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/event-stream"
    yield parse(iter(answer.response))
    answer.close()


def parse(chunks: Iterator[bytes]) -> Iterator[Event]:
    """Events as a browser reads them."""
    for chunk in chunks:
        for block in chunk.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
            if "event" in fields:
                data = json.loads(fields["data"])
                yield {"type": fields["event"], "event_id": fields.get("id"), **data}


def take(events: Iterator[Event], kind: str, count: int = 1) -> list[Event]:
    found = []
    for event in events:
        if event["type"] == kind:
            found.append(event)
            if len(found) == count:
                return found
    raise AssertionError(f"the stream ended after {len(found)} events of type {kind}")


def test_states_come_when_a_stream_begins_and_when_they_change(
    client: FlaskClient, redis: Redis
) -> None:
    gate, hall = FakeCamera(redis, "Gate", group="T2"), FakeCamera(redis, "Hall")
    with listening(client) as events:
        assert [event["camera"] for event in take(events, "state", 2)] == ["Gate", "Hall"]
        hall.set_state("stalled", error_kind="timeout", error="The camera went quiet.")
        [changed] = take(events, "state")
        assert changed == {
            "type": "state",
            "event_id": None,
            "camera_id": hall.id,
            "camera": "Hall",
            "group": "",
            "state": "stalled",
            "since_s": changed["since_s"],
            "error_kind": "timeout",
            "error": "The camera went quiet.",
            "reason": "The camera went quiet.",
            "problems": [],
        }
        CameraRegistry(redis).remove(gate.id)
        assert take(events, "removed")[0]["camera_id"] == gate.id


def test_somebody_who_was_counted_comes_as_the_api_gives_them(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    gate = FakeCamera(redis, "Gate")
    gate.count_person("mask", 0.9, 2.0)  # before: not an event
    with listening(client) as events:
        take(events, "state")
        gate.count_person("no_mask", 0.7, 3.0)
        [person] = take(events, "person")
        [row, _] = client.get(f"/api/v1/cameras/{gate.id}/people").json["people"]
        assert person["verdict"] == "no_mask"
        assert person["event_id"] == f"{row['id']}-{gate.id}"
        assert {name: person[name] for name in row} == row
        later = FakeCamera(redis, "Later")
        later.count_person("mask", 0.9, 2.0)
        assert take(events, "person")[0]["camera"] == "Later"


def test_a_stream_goes_on_from_the_last_event_in_the_order_of_all_cameras(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    cameras = [FakeCamera(redis, f"Gate {n}") for n in range(3)]
    with listening(client) as events:
        take(events, "state", 3)
        cameras[0].count_person("mask", 0.9, 2.0)
        [first] = take(events, "person")
    count = 2 * PAGE + 1
    for number in range(count):
        cameras[number % 3].count_person("mask", number / 1000, 2.0)
    with listening(client, last=first["event_id"]) as events:
        people = take(events, "person", count)
        assert sorted(round(person["confidence"] * 1000) for person in people) == list(range(count))
        times_ms = [int(person["id"].partition("-")[0]) for person in people]
        assert times_ms == sorted(times_ms)
        cameras[1].count_person("incorrect", 0.9, 2.0)
        assert take(events, "person")[0]["verdict"] == "incorrect"


def test_people_of_one_millisecond_come_rather_twice_than_never(
    client: FlaskClient, redis: Redis
) -> None:
    one, two = FakeCamera(redis, "One"), FakeCamera(redis, "Two")
    person = Person(1, 0.0, 1.0, 9, 40.0, "mask", 0.9, 1.0).encode()
    for camera in (one, two):
        redis.xadd(camera.keys.people, {"person": person}, id="1000-0")
    for had, missing in ((one, two), (two, one)):
        with listening(client, last=f"1000-0-{had.id}") as events:
            assert take(events, "person")[0]["camera_id"] == missing.id


def test_people_that_are_not_kept_any_more_are_said_to_be_lost(
    client: FlaskClient, redis: Redis
) -> None:
    gate, hall = FakeCamera(redis, "Gate"), FakeCamera(redis, "Hall")
    person = Person(1, 0.0, 1.0, 9, 40.0, "mask", 0.9, 1.0).encode()
    with redis.pipeline() as pipeline:
        for number in range(PEOPLE_KEPT):
            pipeline.xadd(gate.keys.people, {"person": person}, id=f"{2000 + number}-0")
        pipeline.execute()
    with listening(client, last=f"1000-0-{hall.id}") as events:
        assert take(events, "gap")[0]["camera_id"] == gate.id
        assert len(take(events, "person", PEOPLE_KEPT)) == PEOPLE_KEPT
    with listening(client, last=f"2500-0-{gate.id}") as events:
        kinds = [next(events)["type"] for _ in range(4)]
        assert kinds == ["state", "state", "person", "person"]


def test_only_cameras_that_may_be_seen_and_were_asked_for_are_heard_of(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    here, there = FakeCamera(redis, "Here", group="T2"), FakeCamera(redis, "There", group="T1")
    viewer = key_client(app, redis, "viewer", "T2")
    for listener, query in ((viewer, ""), (client, "?camera=Here"), (client, f"?camera={here.id}")):
        with listening(listener, query, last=f"0-0-{here.id}") as events:
            there.count_person("mask", 0.9, 2.0)
            here.count_person("mask", 0.9, 2.0)
            seen = [next(events) for _ in range(2)]
            there.count_person("mask", 0.9, 2.0)
            here.count_person("mask", 0.9, 2.0)
            seen.append(take(events, "person")[0])
            assert {event["camera"] for event in seen} == {"Here"}, query
    assert viewer.get(f"{EVENTS}?camera=There").status_code == 404
    assert client.get(f"{EVENTS}?camera=nowhere").status_code == 404


@pytest.mark.parametrize("last", ["x", "1-2", "1-2-", "-1-2-abc", "1-2-ABC"])
def test_an_id_that_no_event_has_is_refused(client: FlaskClient, last: str) -> None:
    answer = client.get(EVENTS, headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_query")
    assert client.get(f"{EVENTS}?cameras=x").status_code == 422


def test_one_reader_serves_all_and_ends_with_the_last(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    gate, feed = FakeCamera(redis, "Gate"), services_of(app).people_feed
    before = set(threading.enumerate())
    with listening(client) as first, listening(client) as second:
        take(first, "state")
        take(second, "state")
        assert feed.followers() == 2
        assert eventually(lambda: blocked(redis) == 1)
        begun = set(threading.enumerate()) - before
        assert [thread.name for thread in begun].count("people") == 1
        gate.count_person("mask", 0.9, 2.0)
        assert take(first, "person")[0]["event_id"] == take(second, "person")[0]["event_id"]
    assert feed.followers() == 0
    assert eventually(lambda: not feed.reading())


def test_a_quiet_stream_says_that_it_is_there(
    client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeCamera(redis, "Gate")
    monkeypatch.setattr("dashboard.live.event_stream.HEARTBEAT_S", 0.0)
    answer = client.get(EVENTS, buffered=False)
    chunks = iter(answer.response)
    assert next(chunks) == b"retry: 2000\n\n"
    assert next(chunk for chunk in chunks if chunk.startswith(b":")) == b": still here\n\n"
    answer.close()


def test_who_falls_behind_is_told_so_and_misses_nothing_by_beginning_again(redis: Redis) -> None:
    gate, feed = FakeCamera(redis, "Gate"), make_people_feed(Bus(redis), kept=3)
    with feed.follow() as slow, feed.follow() as quick:
        assert slow.ready(10)
        assert quick.ready(10)
        for _ in range(4):
            gate.count_person("mask", 0.9, 2.0)
            assert len(quick.take(10)) == 1
        with pytest.raises(FellBehindError, match="begin again"):
            slow.take(0)


def test_a_stream_ends_when_it_falls_behind(
    app: Flask, client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = FakeCamera(redis, "Gate")
    with listening(client) as events:
        take(events, "state")

        def behind(*_: object) -> None:
            raise FellBehindError("begin again")

        monkeypatch.setattr(services_of(app).people_feed, "since", behind)
        gate.count_person("mask", 0.9, 2.0)
        assert [event["type"] for event in events] == ["behind"]


def test_a_revoked_key_ends_the_stream(app: Flask, redis: Redis) -> None:
    FakeCamera(redis, "Gate")
    store = accounts_of(redis).api_keys
    key, text = store.add("a program", {"*": "viewer"}, 1, "a test")
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    with listening(client) as events:
        take(events, "state")
        store.remove(key.id)
        assert [event for event in events if event["type"] == "state"] == []


def test_a_stream_says_that_redis_is_away_and_goes_on_when_it_is_back(
    app: Flask, client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = FakeCamera(redis, "Gate")
    with listening(client) as events:
        take(events, "state")
        away = server.Server(connect("redis://127.0.0.1:1/0"))
        with monkeypatch.context() as outage:
            outage.setattr(services_of(app).board, "_server", away)
            assert "Redis" in take(events, "trouble")[0]["detail"]
        redis.client_kill_filter(_type="normal", skipme=True)
        gate.count_person("mask", 0.9, 2.0)
        assert take(events, "person")[0]["camera"] == "Gate"


def test_over_a_real_server_nobody_waits_for_who_never_reads_and_who_left_is_forgotten(
    redis: Redis, redis_url: str
) -> None:
    gate, server = FakeCamera(redis, "Gate"), Server(redis_url)
    try:
        assert eventually(server.answers, 30)
        unread = server.open(EVENTS)
        connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("GET", EVENTS, headers=server.authorization())
        answer = connection.getresponse()
        events = parse(iter(lambda: answer.read1(65536), b""))
        take(events, "state")
        assert eventually(lambda: blocked(redis) == 1)
        for _ in range(20):
            gate.count_person("mask", 0.9, 2.0)
        take(events, "person", 20)
        for left in (answer, connection, unread):
            left.close()
        assert eventually(lambda: blocked(redis) == 0), "the reader still reads"
    finally:
        server.stop()
