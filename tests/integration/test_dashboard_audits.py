"""Audits over the API: who may judge, what a judge learns, and what stays."""

from __future__ import annotations

import json
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.keys import AuditKeys
from bus.stores.audits import AuditStore
from contract.people.audits import Audit, DrawnPerson
from contract.people.verdicts import VERDICTS, Verdict
from tests.accounts import key_client, make_app
from tests.alerts import count_people
from tests.builders import add_camera, jpeg

API = "/api/v1/audits"


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis, "operator")


def started(client: FlaskClient, redis: Redis, people: int = 60) -> tuple[str, Audit]:
    """A camera, and an audit that runs there."""
    camera = add_camera(redis, "Gate")
    answer = client.post(API, json={"camera_id": camera.id, "people": people})
    assert answer.status_code == 201, answer.json
    audit = AuditStore(redis).get(answer.json["id"])
    assert audit is not None
    return camera.id, audit


def draw(
    redis: Redis, audit: Audit, verdicts: list[Verdict], second: bool = False, age_s: float = 5.0
) -> None:
    """Add people who were counted at the audit's camera and drawn."""
    now_s = time.time()
    there = redis.hlen(AuditKeys(audit.id).people)
    for number, verdict in enumerate(verdicts, there):
        person = DrawnPerson(
            f"{number:016x}", audit.camera_ids[0], verdict, 0.9, now_s - age_s, second, 2
        )
        pictures = [jpeg(40, 40), jpeg(30, 30)]
        AuditStore(redis).add(audit, audit.camera_ids[0], {verdict: 1}, [(person, pictures)])


def jpeg_of(client: FlaskClient, path: str) -> int:
    return client.get(path).status_code


def judge_all(client: FlaskClient, audit: Audit, answer: str, most: int = 100) -> int:
    """Give the same answer about everybody who waits; return how many."""
    for number in range(most):
        person = client.get(f"{API}/{audit.id}/next").json["person"]
        if person is None:
            return number
        path = f"{API}/{audit.id}/people/{person['id']}/judgement"
        assert client.put(path, json={"answer": answer}).status_code == 204
    return most


def test_a_judge_sees_pictures_and_no_verdict_and_one_row_stays(
    client: FlaskClient, redis: Redis
) -> None:
    _, audit = started(client, redis)
    draw(redis, audit, ["mask"])
    found = client.get(f"{API}/{audit.id}/next")
    assert found.headers["Cache-Control"] == "no-store"
    person = found.json["person"]
    assert set(person) == {"id", "pictures"}
    assert not set(VERDICTS) & set(json.dumps(found.json).split('"'))
    assert [jpeg_of(client, path) for path in person["pictures"]] == [200, 200]
    path = f"{API}/{audit.id}/people/{person['id']}/judgement"
    assert client.put(path, json={"answer": "perhaps"}).status_code == 422
    assert client.put(path, json={"answer": "no_mask"}).status_code == 204
    assert client.put(path, json={"answer": "mask"}).status_code == 403, "once only"
    assert 0 < redis.ttl(AuditKeys(audit.id).pictures(person["id"])) <= 60
    answer = client.get(f"{API}/{audit.id}").json
    assert answer["table"]["no_mask"]["mask"] == 1
    assert (answer["judged"], answer["counted"]["mask"]) == (1, 1)


def test_an_answer_can_be_taken_back_while_the_pictures_are_there(
    client: FlaskClient, redis: Redis
) -> None:
    _, audit = started(client, redis)
    draw(redis, audit, ["mask"])
    person = client.get(f"{API}/{audit.id}/next").json["person"]
    path = f"{API}/{audit.id}/people/{person['id']}/judgement"
    client.put(path, json={"answer": "no_mask"})
    assert client.get(f"{API}/{audit.id}/next").json["person"] is None
    assert client.delete(path).status_code == 204
    assert client.get(f"{API}/{audit.id}/next").json["person"] == person
    assert redis.ttl(AuditKeys(audit.id).pictures(person["id"])) > 3600
    client.put(path, json={"answer": "mask"})
    redis.delete(AuditKeys(audit.id).pictures(person["id"]))
    assert client.delete(path).status_code == 404
    assert client.get(f"{API}/{audit.id}").json["judged"] == 1


def test_a_second_judge_is_asked_about_some_and_agreement_is_told(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    _, audit = started(client, redis)
    draw(redis, audit, ["mask"] * 3)
    draw(redis, audit, ["mask"] * 2, second=True)
    other = key_client(app, redis, "operator")
    assert judge_all(client, audit, "mask") == 5
    waiting = redis.ttl(AuditKeys(audit.id).pictures(f"{4:016x}"))
    assert waiting > 3600, "the second judge needs the pictures"
    assert judge_all(other, audit, "mask") == 2
    answer = client.get(f"{API}/{audit.id}").json
    assert answer["agreement"]["people"] == answer["agreement"]["same"] == 2
    assert answer["judged"] == 5


def test_the_corrected_rate_of_the_camera_follows_its_audit(
    client: FlaskClient, redis: Redis
) -> None:
    camera_id, audit = started(client, redis)
    count_people(redis, camera_id, 2, 30, 10)
    query = {"camera": camera_id}
    before = client.get("/api/v1/compliance", query_string=query).json["total"]["compliance"]
    assert not before["audited"]
    draw(redis, audit, ["mask"] * 15 + ["no_mask"] * 15)
    judge_all(client, audit, "no_mask")
    after = client.get("/api/v1/compliance", query_string=query).json["total"]["compliance"]
    assert after["audited"]
    assert after["rate"] == before["rate"] == 0.75
    assert after["corrected_rate"] < before["corrected_rate"]
    overview = client.get("/api/v1/overview", query_string={"period": "today"}).json
    assert overview["period"]["compliance"] == after
    assert client.delete(f"{API}/{audit.id}").status_code == 204
    gone = client.get("/api/v1/compliance", query_string=query).json["total"]["compliance"]
    assert gone == before
    assert not list(redis.scan_iter(f"{AuditKeys(audit.id).people}*"))


def test_errors_are_unknown_again_once_too_few_are_judged(
    client: FlaskClient, redis: Redis
) -> None:
    camera_id, audit = started(client, redis)
    draw(redis, audit, ["mask"] * 20)
    judge_all(client, audit, "mask")
    assert camera_id in AuditStore(redis).known_errors()
    path = f"{API}/{audit.id}/people/{19:016x}/judgement"
    assert client.delete(path).status_code == 204
    assert AuditStore(redis).known_errors() == {}


def test_drawing_ends_when_there_are_enough_or_it_is_stopped(
    client: FlaskClient, redis: Redis
) -> None:
    camera_id, audit = started(client, redis, people=20)
    again = client.post(API, json={"camera_id": camera_id})
    assert again.status_code == 422
    assert "being audited" in again.json["detail"]
    draw(redis, audit, ["mask"] * 20)
    assert not client.get(f"{API}/{audit.id}").json["running"]
    second = client.post(API, json={"camera_id": camera_id}).json["id"]
    assert client.post(f"{API}/{second}/stop").json["running"] is False
    assert [one["id"] for one in client.get(API).json["audits"]] == [second, audit.id]


def test_people_who_passed_a_day_ago_or_left_no_picture_are_not_asked_about(
    client: FlaskClient, redis: Redis
) -> None:
    _, audit = started(client, redis)
    draw(redis, audit, ["mask"], age_s=25 * 3600)
    lost = DrawnPerson("f" * 16, audit.camera_ids[0], "mask", 0.9, time.time(), False, 0)
    AuditStore(redis).add(audit, audit.camera_ids[0], {"mask": 1}, [(lost, [])])
    assert client.get(f"{API}/{audit.id}/next").json["person"] is None
    assert client.get(f"{API}/{audit.id}").json["drawn"] == 2


@pytest.mark.parametrize(
    "wrong", [{}, {"camera_id": "nobody"}, {"group": "nowhere"}, {"camera_id": "x", "group": "y"}]
)
def test_an_audit_needs_cameras(client: FlaskClient, wrong: dict[str, str]) -> None:
    answer = client.post(API, json=wrong)
    assert answer.status_code in {404, 422}
    assert answer.json["detail"]


def test_only_operators_of_all_its_cameras_see_an_audit(
    app: Flask, client: FlaskClient, redis: Redis
) -> None:
    add_camera(redis, "Gate", group="T2")
    audit_id = client.post(API, json={"group": "T2"}).json["id"]
    audit = AuditStore(redis).get(audit_id)
    assert audit is not None
    draw(redis, audit, ["mask"])
    picture = client.get(f"{API}/{audit_id}/next").json["person"]["pictures"][0]
    assert key_client(app, redis, "viewer").get(picture).status_code == 403
    elsewhere = key_client(app, redis, "operator", "T1")
    assert elsewhere.get(picture).status_code == 404
    assert elsewhere.get(API).json["audits"] == []
    assert elsewhere.post(API, json={"group": "T2"}).status_code == 403
    assert key_client(app, redis, "operator", "T2").get(picture).status_code == 200


def test_a_removed_camera_takes_its_pictures_along(app: Flask, redis: Redis) -> None:
    boss = key_client(app, redis)
    camera_id, audit = started(boss, redis)
    draw(redis, audit, ["mask"])
    assert redis.exists(AuditKeys(audit.id).pictures(f"{0:016x}"))
    assert boss.delete(f"/api/v1/cameras/{camera_id}").status_code == 204
    assert not redis.exists(AuditKeys(audit.id).pictures(f"{0:016x}"))
