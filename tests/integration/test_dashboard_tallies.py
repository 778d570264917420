"""Tallies over the API: whom somebody saw, and whom Maskwatch counted meanwhile."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.keys import CameraKeys
from bus.stores.tallies import TALLIES_KEPT, TallyStore
from contract.people.people import Person
from contract.people.tallies import Tally
from tests.accounts import key_client, make_app
from tests.builders import add_camera


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


def count(redis: Redis, camera_id: str, *last_seen_s: float) -> None:
    """Leave people as a worker does, last seen at these times."""
    for number, time_s in enumerate(last_seen_s):
        person = Person(number, time_s - 2, time_s, 12, 80.0, "mask", 0.98, 1.5)
        redis.xadd(CameraKeys(camera_id).people, {"person": person.encode()})


def ask(client: FlaskClient, camera_id: str, **fields: object) -> Any:
    return client.post(f"/api/v1/cameras/{camera_id}/tallies", json=fields)


def test_a_tally_compares_the_same_seconds(app: Flask, redis: Redis) -> None:
    client, camera_id = key_client(app, redis, "operator"), add_camera(redis).id
    from_s = time.time() - 200
    count(redis, camera_id, from_s - 1, from_s + 10, from_s + 11, from_s + 50, from_s + 121)
    fields = {"from_s": from_s, "until_s": from_s + 120}
    made = ask(client, camera_id, **fields, seen=[from_s + 90, from_s + 10.5, from_s + 49])
    assert made.status_code == 201
    figures = {"seen": 3, "counted": 3, "both": 2, "missed": 1, "too_many": 1}
    assert figures.items() <= made.json.items()
    listed = client.get(f"/api/v1/cameras/{camera_id}/tallies").json
    assert listed == {"camera_id": camera_id, "tallies": [made.json]}
    page = client.get(f"/cameras/{camera_id}/tally").text
    assert 'data-label="Missed">1<' in page


@pytest.mark.parametrize(
    ("from_ago_s", "lasts_s", "seen", "words"),
    [
        (125, 120, [], "counted yet"),
        (300, -5, [], "after from_s"),
        (900, 700, [], "after from_s"),
        (300, 120, [121.0], "between"),
    ],
)
def test_a_tally_that_cannot_be_compared_is_refused(
    app: Flask, redis: Redis, from_ago_s: float, lasts_s: float, seen: list[float], words: str
) -> None:
    client, camera_id = key_client(app, redis, "operator"), add_camera(redis).id
    from_s = time.time() - from_ago_s
    times = [from_s + one for one in seen]
    answer = ask(client, camera_id, from_s=from_s, until_s=from_s + lasts_s, seen=times)
    assert answer.status_code == 422
    assert words in answer.json["detail"]


def test_a_tally_from_before_the_listed_people_is_refused(
    app: Flask, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.audits.tallies.PEOPLE_KEPT", 2)
    client, camera_id = key_client(app, redis, "operator"), add_camera(redis).id
    from_s = time.time() - 200
    count(redis, camera_id, from_s + 5, from_s + 10, from_s + 20)
    answer = ask(client, camera_id, from_s=from_s, until_s=from_s + 120, seen=[])
    assert answer.status_code == 422
    assert "too long ago" in answer.json["detail"]


def test_only_operators_of_the_camera_count_there(app: Flask, redis: Redis) -> None:
    camera_id = add_camera(redis, group="T2").id
    from_s = time.time() - 200
    fields = {"from_s": from_s, "until_s": from_s + 120, "seen": []}
    assert ask(key_client(app, redis, "viewer"), camera_id, **fields).status_code == 403
    elsewhere = key_client(app, redis, "operator", "T1")
    assert ask(elsewhere, camera_id, **fields).status_code == 404
    assert elsewhere.get(f"/cameras/{camera_id}/tally").status_code == 404
    assert TallyStore(redis).all(camera_id) == []


def test_the_last_tallies_are_kept_until_their_camera_is_removed(app: Flask, redis: Redis) -> None:
    camera_id, store = add_camera(redis).id, TallyStore(redis)
    for number in range(TALLIES_KEPT + 3):
        store.add(camera_id, Tally(str(number), "Ada", 1.0, 2.0, (), ()))
    redis.lset(CameraKeys(camera_id).tallies, 1, "damaged")
    assert [one.id for one in store.all(camera_id)][:2] == ["52", "50"]
    assert redis.llen(CameraKeys(camera_id).tallies) == TALLIES_KEPT
    removed = key_client(app, redis).delete(f"/api/v1/cameras/{camera_id}")
    assert removed.status_code == 204
    assert not redis.exists(CameraKeys(camera_id).tallies)
