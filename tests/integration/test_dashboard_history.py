"""Compliance over time and the last people, through the dashboard's API."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from bus.keys import CameraKeys
from bus.stores.cameras import CameraRegistry
from bus.stores.history import HistoryStore
from bus.stores.outcomes import OutcomeStore
from contract.cameras.camera import Camera
from contract.people.minutes import LONGEST_HISTORY_DAYS, MinuteIncrements, invalid_column
from contract.people.outcomes import Outcome
from contract.people.people import Person
from contract.people.totals import Increments
from contract.people.verdicts import Verdict
from dashboard.live.last_hour import EVERY_S, MOST_AT_ONCE, LastHour
from tests.accounts import key_client, make_app
from tests.builders import add_camera, take_lease

EIGHT_S = 1_795_507_200
"""2026-11-24T08:00:00Z."""


@pytest.fixture
def client(redis: Redis) -> FlaskClient:
    return key_client(make_app(redis), redis)


@pytest.fixture
def ask(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Ask for compliance as if it were ten o'clock."""
    monkeypatch.setattr("bus.clock.SharedClock.__call__", lambda _: EIGHT_S + 7200.0)

    def get(**parameters: object) -> Any:
        answer = client.get("/api/v1/compliance", query_string=parameters)
        assert answer.status_code == 200, answer.json
        return answer.json

    return get


class History:
    """A camera whose past is written as a worker would."""

    def __init__(self, redis: Redis, name: str, created_at_s: float = EIGHT_S - 86400) -> None:
        camera = add_camera(redis, name)
        self.camera: Camera = camera.model_copy(update={"created_at_s": created_at_s})
        registry = CameraRegistry(redis)
        registry.apply(registry.revision(), [self.camera], [])
        self.lease = take_lease(redis, camera.id, "worker")
        self._redis = redis
        self._store = OutcomeStore(redis)
        self._sequence = 0

    def minute(self, at_s: float, *verdicts: Verdict, share: float = 1.0, **more: int) -> None:
        """One analysed minute in which these people were last seen."""
        minutes = MinuteIncrements()
        minutes.add(at_s, "frames", int(300 * share))
        minutes.add(at_s, "faces", 12 * len(verdicts))
        minutes.add_span(at_s, at_s + 60 * share, "analysed_ms")
        for column, amount in more.items():
            minutes.add(at_s, column, amount)
        people = tuple(
            Person(n, at_s, at_s + 5, 25, 40.0, verdict, 0.9, 2.0)
            for n, verdict in enumerate(verdicts)
        )
        self._sequence += 1
        self._store.commit(
            self.lease,
            Outcome(self._sequence, 1, Increments(), "{}", minutes=minutes, people=people),
        )

    def pack(self) -> None:
        history = HistoryStore(self._redis, LONGEST_HISTORY_DAYS)  # these days stay what they are
        assert history.pack_if_grown(self.lease, above_fields=0)


def test_compliance_by_the_hour_has_rate_interval_and_shares(
    redis: Redis, ask: Callable[..., Any]
) -> None:
    gate = History(redis, "Gate")
    gate.minute(EIGHT_S, *["mask"] * 8, "incorrect", "no_mask", "unknown", "unknown")
    gate.pack()
    gate.minute(EIGHT_S + 60, "mask", share=0.5, dropped=4)
    answer = ask(**{"from": EIGHT_S, "to": EIGHT_S + 7200})
    [first, second] = answer["points"]
    assert first["from"] == "2026-11-24T08:00:00+00:00"
    assert first["people"] == {"mask": 9, "incorrect": 1, "no_mask": 1, "unknown": 2}
    rate = first["compliance"]
    assert (rate["people"], rate["rate"]) == (11, round(9 / 11, 4))
    assert rate["low"] == pytest.approx(0.5230, abs=1e-3)  # Wilson, 9 of 11
    assert rate["high"] == pytest.approx(0.9486, abs=1e-3)
    assert first["unknown_share"] == round(2 / 13, 4)
    assert (first["analysed_s"], first["analysed_share"]) == (90.0, 0.025)
    assert (first["faces"], first["frames_analysed"], first["frames_dropped"]) == (156, 450, 4)
    # Nobody looked in the second hour: that is not nobody.
    assert second["people"] is None
    assert second["compliance"] is None
    assert (second["analysed_share"], second["frames_analysed"]) == (0.0, 0)
    assert answer["total"]["people"] == first["people"]
    assert answer["total"]["analysed_share"] == 0.0125


def test_an_analysed_hour_of_nobody_is_a_zero_and_not_a_gap(
    redis: Redis, ask: Callable[..., Any]
) -> None:
    History(redis, "Gate").minute(EIGHT_S)
    [hour] = ask(**{"from": EIGHT_S, "to": EIGHT_S + 3600})["points"]
    assert hour["people"] == {"mask": 0, "incorrect": 0, "no_mask": 0, "unknown": 0}
    assert hour["compliance"]["people"] == 0
    assert hour["compliance"]["rate"] is hour["compliance"]["corrected_rate"] is None
    assert hour["unknown_share"] is None


def test_cameras_add_up_and_one_can_be_asked_for_by_id_or_name(
    redis: Redis, ask: Callable[..., Any]
) -> None:
    gate, hall = History(redis, "Gate B 12"), History(redis, "Hall")
    gate.minute(EIGHT_S, "mask")
    hall.minute(EIGHT_S, "no_mask", "no_mask")
    span = {"from": EIGHT_S, "to": EIGHT_S + 60, "step": "minute"}
    both = ask(**span)["total"]
    assert (both["people"]["mask"], both["people"]["no_mask"]) == (1, 2)
    assert (both["analysed_s"], both["analysed_share"]) == (120.0, 1.0)
    assert ask(**span, camera=[gate.camera.id, "Hall"])["total"] == both
    assert ask(**span, camera=gate.camera.id)["total"]["people"]["no_mask"] == 0
    assert ask(**span, camera="Hall")["total"]["people"]["no_mask"] == 2


def test_a_camera_is_answerable_only_for_the_time_since_it_was_registered(
    redis: Redis, ask: Callable[..., Any]
) -> None:
    History(redis, "New", created_at_s=EIGHT_S + 3570).minute(EIGHT_S + 3570, share=0.5)
    first, second = ask(**{"from": EIGHT_S - 3600, "to": EIGHT_S + 3600})["points"]
    assert first["analysed_share"] is None
    assert second["analysed_share"] == 1.0


def test_what_is_to_come_lowers_no_share(redis: Redis, ask: Callable[..., Any]) -> None:
    gate = History(redis, "Gate")
    for minute in range(60):
        gate.minute(EIGHT_S + 3600 + 60 * minute)
    [hour] = ask(**{"from": EIGHT_S + 3600, "to": EIGHT_S + 3 * 86400, "step": 7 * 86400})["points"]
    assert hour["analysed_share"] == 1.0


def test_days_are_those_of_the_time_zone(redis: Redis, ask: Callable[..., Any]) -> None:
    gate = History(redis, "Gate")
    gate.minute(EIGHT_S - 9 * 3600 - 1800, "mask")  # 23:30 in Berlin on the day before
    gate.minute(EIGHT_S - 9 * 3600 + 1800, "no_mask")  # 00:30
    berlin = {"from": "2026-11-23T00:00", "to": "2026-11-25T00:00", "step": "day"}
    points = ask(**berlin, tz="Europe/Berlin")["points"]
    assert [point["from"] for point in points] == [
        "2026-11-23T00:00:00+01:00",
        "2026-11-24T00:00:00+01:00",
    ]
    assert [point["people"]["mask"] for point in points] == [1, 0]
    assert ask(**berlin)["points"][1]["people"] is None


def test_invalid_seconds_are_given_by_problem(redis: Redis, ask: Callable[..., Any]) -> None:
    History(redis, "Gate").minute(EIGHT_S, **{invalid_column("frozen"): 12_500})
    assert ask(**{"from": EIGHT_S, "to": EIGHT_S + 60})["total"]["invalid_s"] == {"frozen": 12.5}


def test_a_minute_that_a_set_back_clock_had_twice_is_one_minute(
    redis: Redis, ask: Callable[..., Any]
) -> None:
    gate = History(redis, "Gate")
    gate.minute(EIGHT_S)
    gate.minute(EIGHT_S)
    assert ask(**{"from": EIGHT_S, "to": EIGHT_S + 120})["total"]["analysed_s"] == 60.0


def test_without_parameters_it_is_the_last_day_by_the_hour_up_to_now(
    redis: Redis, ask: Callable[..., Any]
) -> None:
    gate = History(redis, "Gate")
    gate.minute(EIGHT_S + 7200, "mask")  # the minute that runs now
    answer = ask()
    assert answer["total"]["people"]["mask"] == 1
    assert answer["total"]["to_s"] - answer["total"]["from_s"] == 86400
    assert len(answer["points"]) == 25


@pytest.mark.parametrize("how", [{"query_string": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}])  # fmt: skip # noqa: E501
def test_csv_has_the_same_and_leaves_unknown_cells_empty(
    redis: Redis, client: FlaskClient, how: dict[str, Any]
) -> None:
    gate = History(redis, "Gate")
    gate.minute(EIGHT_S, "mask", "unknown", **{invalid_column("blurred"): 1500})
    span = {"from": EIGHT_S, "to": EIGHT_S + 120, "step": "minute"}
    query = {**span, **how.get("query_string", {})}
    answer = client.get("/api/v1/compliance", query_string=query, headers=how.get("headers"))
    assert answer.mimetype == "text/csv"
    [first, gap] = csv.DictReader(io.StringIO(answer.text))
    assert first["from"] == "2026-11-24T08:00:00+00:00"
    assert (first["mask"], first["unknown"], first["judged"], first["rate"]) == (
        "1",
        "1",
        "1",
        "1.0",
    )
    assert (first["unknown_share"], first["invalid_s_blurred"]) == ("0.5", "1.5")
    assert (gap["mask"], gap["judged"], gap["rate"], gap["faces"]) == ("", "", "", "")
    assert gap["frames_analysed"] == "0"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"step": "90"}, "step: expected"),
        ({"from": "then"}, "from: expected a time"),
        ({"from": EIGHT_S, "to": EIGHT_S - 60}, "from before to"),
        ({"from": EIGHT_S - 86400 * 30, "to": EIGHT_S, "step": "minute"}, "longer step"),
        ({"tz": "Mars"}, "tz: expected"),
        ({"format": "xml"}, "format: expected"),
        ({"until": "now"}, "unknown: until"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    client: FlaskClient, query: dict[str, object], words: str
) -> None:
    answer = client.get("/api/v1/compliance", query_string=query)
    assert (answer.status_code, answer.json["error"]) == (422, "invalid_query")
    assert words in answer.json["detail"]


def test_a_camera_that_is_not_there_is_named(client: FlaskClient) -> None:
    answer = client.get("/api/v1/compliance?camera=nobody")
    assert (answer.status_code, answer.json["error"]) == (404, "camera_not_found")


def test_more_than_a_server_should_read_at_once_is_refused(
    client: FlaskClient, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_camera(redis)
    monkeypatch.setattr("reports.report.MOST_CAMERA_DAYS", 5)
    answer = client.get("/api/v1/compliance?from=1000000000&to=1001000000&step=day")
    assert "fewer cameras or a shorter range" in answer.json["detail"]


def test_the_last_people_are_rows_newest_first_page_by_page(
    client: FlaskClient, redis: Redis
) -> None:
    gate = History(redis, "Gate")
    for number in range(5):
        gate.minute(EIGHT_S + 60 * number, "mask" if number % 2 else "no_mask")
    url = f"/api/v1/cameras/{gate.camera.id}/people"
    page = client.get(url, query_string={"limit": 3}).json
    assert [row["last_seen_s"] for row in page["people"]] == [
        EIGHT_S + 60 * number + 5 for number in (4, 3, 2)
    ]
    assert page["people"][0]["verdict"] == "no_mask"
    assert (page["people"][0]["in_view_s"], page["people"][0]["best_face_px"]) == (5.0, 40.0)
    rest = client.get(url, query_string={"limit": 3, "before": page["before"]}).json
    assert [row["last_seen_s"] for row in rest["people"]] == [EIGHT_S + 65, EIGHT_S + 5]
    assert rest["before"] is None


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": "x"}, {"limit": 1001}, {"before": "a"}])
def test_a_page_that_cannot_be_is_refused(
    client: FlaskClient, redis: Redis, query: dict[str, object]
) -> None:
    url = f"/api/v1/cameras/{add_camera(redis).id}/people"
    assert client.get(url, query_string=query).status_code == 422
    assert client.get("/api/v1/cameras/nobody/people").status_code == 404


def test_the_last_hour_is_told_across_packed_and_open_minutes_and_midnight(redis: Redis) -> None:
    gate = History(redis, "Gate")
    now_s = EIGHT_S + 16 * 3600 + 600.0
    hour = LastHour(HistoryStore(redis), lambda: now_s)
    gate.minute(now_s - 3660, *["no_mask"] * 50)
    gate.minute(now_s - 3000, "mask", "mask", "no_mask", "unknown")
    gate.pack()
    gate.minute(now_s, "mask")
    rate = hour.rates([gate.camera.id])[gate.camera.id]
    assert (rate.people, rate.rate) == (4, 0.75)
    gate.minute(now_s, "mask")
    now_s += EVERY_S
    assert hour.rates([gate.camera.id])[gate.camera.id].people == 5


def test_a_cameras_last_hour_comes_with_its_state(redis: Redis, client: FlaskClient) -> None:
    gate = History(redis, "Gate", time.time() - 300)
    gate.minute(time.time() - 120, "mask")  # who is seen 5 s longer may be of the next minute
    assert client.get("/api/v1/cameras").json["cameras"][0]["last_hour"]["people"] == 1


def test_cameras_take_turns_in_having_their_last_hour_read(redis: Redis) -> None:
    cameras = [History(redis, f"Gate {n}", time.time() - 60) for n in range(MOST_AT_ONCE + 2)]
    ids = [one.camera.id for one in cameras]
    hour = LastHour(HistoryStore(redis), lambda: 1000.0)
    assert len(hour.rates(ids)) == MOST_AT_ONCE
    assert len(hour.rates(ids)) == len(ids)


@pytest.mark.parametrize("row", ["", "[1]", "{", '{"v":1}', '{"v":99}'])
def test_a_row_that_cannot_be_read_is_left_out(client: FlaskClient, redis: Redis, row: str) -> None:
    camera = add_camera(redis)
    redis.xadd(CameraKeys(camera.id).people, {"person": row})
    redis.xadd(CameraKeys(camera.id).people, {"another": row})
    answer = client.get(f"/api/v1/cameras/{camera.id}/people")
    assert (answer.status_code, answer.json["people"]) == (200, [])
    page = client.get(f"/api/v1/cameras/{camera.id}/people?limit=1")
    assert page.json["before"], "what lies behind it could not be asked for"
