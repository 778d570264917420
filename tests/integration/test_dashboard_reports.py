"""A report on its page and as JSON and CSV: the overview's figures, its limits, who sees what."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from bus.keys import CameraKeys
from contract.people.minutes import INVALID, minute_of, open_field
from tests.accounts import key_client, make_app
from tests.builders import add_camera
from tests.integration.test_dashboard_alerts import browser_of
from tests.integration.test_dashboard_overview import counted

API = "/api/v1/reports"


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


@pytest.fixture
def client(app: Flask, redis: Redis) -> FlaskClient:
    return key_client(app, redis)


def this_week() -> str:
    year, week, _ = datetime.now(UTC).isocalendar()
    return f"{year}-W{week:02}"


def test_figures_are_those_of_the_overview(client: FlaskClient, redis: Redis) -> None:
    counted(redis, "Gate", 30, 10, "T2")
    counted(redis, "Door", 5, 15)
    answer = client.get(API, query_string={"span": this_week()}).json
    span = {"from": answer["period"]["from_s"], "to": answer["period"]["to_s"]}
    overview = client.get("/api/v1/overview", query_string=span).json
    assert answer["period"]["people"] == overview["period"]["people"]
    for mine, its in zip(answer["groups"], overview["groups"], strict=True):
        assert (mine["group"], mine["period"]["compliance"], mine["before"]["people"]) == (
            *(its["group"], its["period"]["compliance"]),
            its["before"]["people"],
        )
    assert (answer["kind"], answer["is_over"]) == ("week", False)
    assert sum((day["people"] or {}).get("mask", 0) for day in answer["days"]) == 35
    assert sum((day["people"] or {}).get("no_mask", 0) for day in answer["days"]) == 25


def test_what_was_invalid_missing_and_not_audited_is_told(
    client: FlaskClient, redis: Redis
) -> None:
    camera_id = counted(redis, "Gate", 30, 10)
    field = open_field(minute_of(time.time()) - 2, f"{INVALID}frozen")
    redis.hset(CameraKeys(camera_id).minutes, field, 30_000)
    limits = client.get(API, query_string={"span": this_week()}).json["limits"]
    told = {limit["title"]: limit["words"] for limit in limits}
    assert "picture frozen 1 min" in told["Unreliable picture"]
    assert "may be wrong" in told["Unreliable picture"]
    assert told["Not analysed"].endswith("Nobody was counted meanwhile.")
    assert told["Not audited"].startswith("The one camera: nobody has compared")
    assert told["Without a verdict"].startswith("0 of the people counted (0.0 %)")


def test_a_report_of_a_group_has_its_cameras_only(app: Flask, redis: Redis) -> None:
    counted(redis, "Gate", 30, 10, "T2")
    counted(redis, "Door", 5, 15, "T1")
    everything = key_client(app, redis)
    query = {"span": this_week(), "group": "T1"}
    assert everything.get(API, query_string=query).json["period"]["people"]["mask"] == 5
    own = key_client(app, redis, "viewer", "T2")
    assert own.get(API, query_string={"span": this_week()}).json["period"]["people"]["mask"] == 30
    refused = own.get(API, query_string=query)
    assert (refused.status_code, refused.json["detail"]) == (
        422,
        "group: you see no camera of 'T1'",
    )


def test_csv_has_totals_groups_cameras_and_days(client: FlaskClient, redis: Redis) -> None:
    counted(redis, "=1+1", 3, 1, "T2")
    add_camera(redis, "Away", group="T2")
    answer = client.get(API, query_string={"format": "csv", "span": this_week()})
    assert answer.mimetype == "text/csv"
    assert f"All cameras {this_week()}.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    days = [row for row in rows if row["row"] == "day"]
    assert [row["row"] for row in rows if row["row"] != "day"] == [
        *("total", "group", "camera", "camera")
    ]
    gate, away = rows[2:4]
    names = ("camera", "mask", "rate", "audited")
    assert [gate[name] for name in names] == ["'=1+1", "3", "0.75", "false"]
    assert [away[name] for name in names] == ["Away", "", "", ""]
    assert 1 <= len(days) <= 7
    assert sum(int(day["mask"] or 0) for day in days) == 3


def test_pdf_is_a_file_with_the_scope_and_the_span_in_its_name(
    client: FlaskClient, redis: Redis
) -> None:
    counted(redis, "Gate", 3, 1, "T2")
    query = {"format": "pdf", "span": this_week(), "group": "T2"}
    answer = client.get(API, query_string=query)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert f"T2 {this_week()}.pdf" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"span": "2026"}, "span: expected a week"),
        ({"span": "2090-01"}, "has not begun"),
        ({"group": "Nowhere"}, "you see no camera"),
        ({"tz": "Mars"}, "tz: expected"),
        ({"period": "7d"}, "unknown: period"),
    ],
)
def test_a_query_that_cannot_be_is_refused(
    client: FlaskClient, query: dict[str, str], words: str
) -> None:
    answer = client.get(API, query_string=query)
    assert (answer.status_code, words in answer.json["detail"]) == (422, True), answer.text


def test_the_page_begins_with_the_figures_and_what_limits_them(app: Flask, redis: Redis) -> None:
    browser, _ = browser_of(app, redis)
    empty = browser.get("/reports").text
    assert "No camera was analysed in this week." in empty
    counted(redis, "Gate", 30, 10, "T2")
    page = browser.get(f"/reports?span={this_week()}&group=T2").text
    assert (
        page.index("75.0 %")
        < page.index("What limits these figures")
        < page.index("Not audited")
        < page.index("Mask rate by day")
        < page.index("Groups and cameras")
    )
    assert f"span={this_week()}&amp;group=T2&amp;tz=UTC&amp;format=csv" in page
    assert "Later →" not in page
