"""The overview of a period: the API's figures, the page, who sees which cameras."""

from __future__ import annotations

import csv
import io
import time

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from tests.accounts import key_client, make_app
from tests.alerts import add_rule, count_people
from tests.builders import add_camera
from tests.integration.test_dashboard_alerts import browser_of, open_one

API = "/api/v1/overview"


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def counted(redis: Redis, name: str, masked: int, bare: int, group: str = "") -> str:
    """A camera that counted people two minutes ago."""
    camera = add_camera(redis, name, group=group)
    count_people(redis, camera.id, 2, masked, bare)
    return camera.id


def test_figures_are_those_of_the_compliance_api(client: FlaskClient, redis: Redis) -> None:
    ids = [counted(redis, "Gate", 30, 10, "T2"), counted(redis, "Door", 5, 15)]
    answer = client.get(API, query_string={"period": "today"}).json
    span = {"from": answer["period"]["from_s"], "to": answer["period"]["to_s"]}
    for camera_id in ids:
        [mine] = [
            one for group in answer["groups"] for one in group["cameras"] if one["id"] == camera_id
        ]
        query = {**span, "camera": camera_id, "step": "day"}
        total = client.get("/api/v1/compliance", query_string=query).json["total"]
        for name in ("people", "compliance", "unknown_share", "analysed_s"):
            assert mine["period"][name] == total[name], name
    assert answer["period"]["people"]["mask"] == 35
    assert [group["group"] for group in answer["groups"]] == ["T2", ""]
    assert answer["before"]["people"] is None
    assert (
        sum((hour["people"] or {}).get("mask", 0) for day in answer["week"] for hour in day) == 35
    )


def test_a_group_sees_its_own_cameras_only(app: Flask, redis: Redis) -> None:
    counted(redis, "Gate", 30, 10, "T2")
    counted(redis, "Door", 5, 15)
    answer = key_client(app, redis, "viewer", "T2").get(API).json
    assert answer["period"]["people"]["mask"] == 30
    assert [one["name"] for group in answer["groups"] for one in group["cameras"]] == ["Gate"]


def test_csv_has_a_row_a_camera_and_no_formula(client: FlaskClient, redis: Redis) -> None:
    counted(redis, "=1+1", 3, 1)
    answer = client.get(API, query_string={"format": "csv"})
    assert answer.mimetype == "text/csv"
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert (row["camera"], row["mask"], row["rate"]) == ("'=1+1", "3", "0.75")
    assert row["mask_before"] == ""


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"period": "week"}, "period"),
        ({"period": "7d", "from": "2026-11-01"}, "expected one of them"),
        ({"to": "2026-11-01"}, "it needs a `from`"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "expected a range"),
        ({"tz": "Mars"}, "tz"),
    ],
)
def test_a_query_that_cannot_be_is_refused(
    client: FlaskClient, query: dict[str, str], words: str
) -> None:
    answer = client.get(API, query_string=query)
    assert (answer.status_code, words in answer.json["detail"]) == (422, True), answer.text


def test_days_include_the_last_one(client: FlaskClient) -> None:
    query = {"from": "2026-03-28", "to": "2026-03-29", "tz": "Europe/Berlin"}
    period = client.get(API, query_string=query).json["period"]
    assert period["from"].startswith("2026-03-28T00:00")
    assert period["to_s"] - period["from_s"] == 47 * 3600, "clocks are set forward"


def test_the_page_shows_figures_concerns_and_ways_to_each_camera(app: Flask, redis: Redis) -> None:
    browser, _ = browser_of(app, redis)
    empty = browser.get("/overview").text
    assert "There are no cameras yet." in empty
    low, high = counted(redis, "Gate", 10, 30, "T2"), counted(redis, "Door", 39, 1)
    add_rule(redis, "offline", "Away")
    open_one(redis)
    page = browser.get("/overview?period=today").text
    assert page.index("Lowest rates") < page.index("25.0 %") < page.index("Highest rates")
    for camera_id in (low, high):
        assert f"/cameras/{camera_id}?from=" in page
    assert "Camera offline" in page
    assert "counted at both" in page
    assert "so there is nothing to compare" in page


def test_a_camera_page_opens_at_the_time_that_a_link_names(app: Flask, redis: Redis) -> None:
    browser, _ = browser_of(app, redis)
    camera, now = add_camera(redis, "Gate"), int(time.time())
    page = browser.get(f"/cameras/{camera.id}?from={now - 3600}&to={now}").text
    assert f'data-from="{now - 3600}" data-to="{now}"' in page
    assert 'value="chosen"' not in browser.get(f"/cameras/{camera.id}?from=x&to=1").text
