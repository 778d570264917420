"""The metrics page, parsed as Prometheus would."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain
from redis import Redis
from rq import Queue

from bus import keys
from bus.connection.client import connect
from bus.keys import CameraKeys
from bus.members.members import Membership
from bus.stores.outcomes import OutcomeStore
from contract.cameras.quality import Fitness, QualityReport
from contract.errors import NotNewerError
from contract.people.outcomes import Outcome
from contract.people.totals import (
    BATCH_BUCKETS,
    INFERENCE_BUCKETS_S,
    WORKERS_BUSY,
    Increments,
    batch_field,
    crossed_field,
    discarded_field,
    dropped_field,
    frames_field,
    inference_field,
    people_field,
)
from tests.accounts import key_client, make_app
from tests.builders import Source, add_camera, take_lease
from tests.integration.test_dashboard_hub import FakeCamera

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def client(redis: Redis) -> FlaskClient:
    return key_client(make_app(redis), redis)


def scrape(client: FlaskClient, query: str = "") -> Samples:
    answer = client.get(f"/metrics{query}")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in plain(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"maskwatch_{name}", frozenset(labels.items())]


def test_every_committed_outcome_is_in_the_numbers(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(("mask",), {"mask": 2})
    camera.commit(("mask", "no_mask"), {"no_mask": 1}, age_s=0.12)
    samples = scrape(client)
    assert value(samples, "redis_up") == 1
    assert value(samples, "camera_up", camera="Gate") == 1
    stages = {
        s: value(samples, "frames_total", camera="Gate", stage=s)
        for s in ("captured", "published", "analysed")
    }
    assert stages == {"captured": 6, "published": 2, "analysed": 2}
    assert value(samples, "frames_dropped_total", camera="Gate", cause="not_sampled") == 4
    assert value(samples, "frames_dropped_total", camera="Gate", cause="stale") == 0
    assert value(samples, "faces", camera="Gate", verdict="no_mask") == 1
    assert value(samples, "faces", camera="Gate", verdict="incorrect") == 0
    assert value(samples, "people_total", camera="Gate", verdict="mask") == 2
    age = {"camera": "Gate", "stage": "analysed"}
    assert value(samples, "frame_age_seconds_bucket", le="0.15", **age) == 2
    assert value(samples, "frame_age_seconds_bucket", le="0.05", **age) == 0
    assert value(samples, "frame_age_seconds_count", **age) == 2
    assert value(samples, "frame_age_seconds_sum", **age) == pytest.approx(0.22)


def test_crossings_and_discarded_tracks_are_in_the_numbers(
    client: FlaskClient, redis: Redis
) -> None:
    camera = add_camera(redis, "Gate")
    counted = {crossed_field("Door: a", "in", "no_mask"): 3, discarded_field("static"): 2}
    redis.hset(CameraKeys(camera.id).totals, mapping=counted)  # type: ignore[arg-type]
    samples = scrape(client)
    crossing = {"camera": "Gate", "line": "Door: a", "direction": "in", "verdict": "no_mask"}
    assert value(samples, "line_crossings_total", **crossing) == 3
    assert value(samples, "tracks_discarded_total", camera="Gate", cause="static") == 2
    assert value(samples, "tracks_discarded_total", camera="Gate", cause="flicker") == 0


def test_a_restarted_dashboard_gives_the_same_totals(client: FlaskClient, redis: Redis) -> None:
    FakeCamera(redis, "Gate").commit(("mask",), {"mask": 2})
    again = key_client(make_app(redis), redis)
    before, after = scrape(client), scrape(again)
    assert {k: v for k, v in before.items() if k[0].endswith(("_total", "_bucket"))} == {
        k: v for k, v in after.items() if k[0].endswith(("_total", "_bucket"))
    }


def test_no_faces_are_in_view_of_a_camera_that_is_not_live(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit(("mask",))
    camera.set_state("stalled")
    samples = scrape(client)
    assert value(samples, "camera_up", camera="Gate") == 0
    assert value(samples, "faces", camera="Gate", verdict="mask") == 0


def test_networks_are_found_by_their_fields(client: FlaskClient, redis: Redis) -> None:
    counts = Increments()
    counts.observe(inference_field("yunet"), INFERENCE_BUCKETS_S, 0.004, times=3)
    counts.observe(batch_field("yunet"), BATCH_BUCKETS, 4)
    counts.observe(inference_field("classifier"), INFERENCE_BUCKETS_S, 9.0)
    for field, amount in counts.items():
        redis.hincrbyfloat(keys.INFERENCE, field, amount)
    samples = scrape(client)
    bucket = "inference_seconds_bucket"
    assert value(samples, bucket, network="yunet", le="0.005") == 3
    assert value(samples, bucket, network="classifier", le="2.0") == 0
    assert value(samples, bucket, network="classifier", le="+Inf") == 1
    assert value(samples, "batch_size_sum", network="yunet") == 4


def test_live_processes_are_counted(client: FlaskClient, redis: Redis) -> None:
    for name in "ab":
        Membership(redis, "worker", 2).beat(name)
    samples = scrape(client)
    assert (value(samples, "workers"), value(samples, "ingests")) == (2, 0)


def test_frames_that_no_worker_has_got_to_are_waiting(client: FlaskClient, redis: Redis) -> None:
    camera = add_camera(redis, "Gate")
    source, lease = Source(redis, camera, max_frames=4), take_lease(redis, camera.id, "worker")
    add_camera(redis, "Off", enabled=False)
    assert value(scrape(client), "frames_waiting", camera="Gate") == 0
    for _ in range(3):
        source.publish()
    assert value(scrape(client), "frames_waiting", camera="Gate") == 3
    for _ in range(3):
        source.publish()
    samples = scrape(client)
    assert value(samples, "frames_waiting", camera="Gate") == 4, "the others are lost"
    assert ("maskwatch_frames_waiting", frozenset({("camera", "Off")})) not in samples
    OutcomeStore(redis).commit(lease, Outcome(6, 6, Increments(), "{}"))
    assert value(scrape(client), "frames_waiting", camera="Gate") == 0


def test_jobs_that_no_process_has_started_are_waiting(client: FlaskClient, redis: Redis) -> None:
    Queue(keys.RECORDINGS_QUEUE, connection=redis).push_job_id("one")
    waiting = {
        queue: value(scrape(client), "jobs_waiting", queue=queue)
        for queue in ("jobs", "images", "recordings", "alerts")
    }
    assert waiting == {"jobs": 0, "images": 0, "recordings": 1, "alerts": 0}


def test_the_time_that_workers_were_busy_is_in_the_metrics(
    client: FlaskClient, redis: Redis
) -> None:
    assert value(scrape(client), "workers_busy_seconds_total") == 0
    redis.hset(keys.INFERENCE, WORKERS_BUSY, 12.5)
    assert value(scrape(client), "workers_busy_seconds_total") == 12.5


def test_any_camera_name_makes_valid_text(client: FlaskClient, redis: Redis) -> None:
    name = 'Gate "4" \\ Süd, {x="y"} 出口'
    FakeCamera(redis, name).commit(("mask",))
    assert value(scrape(client), "camera_up", camera=name) == 1


def test_openmetrics_is_served_on_request(client: FlaskClient, redis: Redis) -> None:
    FakeCamera(redis, "Gate").commit(("mask",))
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert answer.content_type.startswith("application/openmetrics-text")
    assert {f.name for f in openmetrics(answer.text)} >= {"maskwatch_frames", "maskwatch_people"}


def test_without_redis_the_page_says_only_that(tmp_path: Path) -> None:
    key_file = tmp_path / "metrics.key"
    key_file.write_text("a-key-that-needs-no-redis-to-be-known\n")
    lost = connect("redis://127.0.0.1:1/0")
    client = make_app(lost, metrics_key_file=key_file).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key_file.read_text().strip()}"
    assert scrape(client) == {("maskwatch_redis_up", frozenset()): 0.0}


def test_refused_commits_are_counted_by_reason(client: FlaskClient, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit()
    with pytest.raises(NotNewerError):
        OutcomeStore(redis).commit(camera.worker_lease, Outcome(1, 0, Increments(), "{}"))
    samples = scrape(client)
    refused = {
        reason: value(samples, "commits_refused_total", camera="Gate", reason=reason)
        for reason in ("lease_lost", "not_newer")
    }
    assert refused == {"lease_lost": 0, "not_newer": 1}


def test_an_unreliable_picture_and_an_unfit_camera_are_in_the_metrics(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    camera.commit()
    before = scrape(client)
    assert value(before, "camera_quality", camera="Gate", problem="frozen") == 0
    assert ("maskwatch_camera_fit", frozenset({("camera", "Gate")})) not in before
    unfit = Fitness("unfit", ("too_dark",), 25, 0.4, (30.0, 40.0, 50.0), 0.9, 0.0, 0.0)
    camera.commit(condition=QualityReport({"frozen": 1.0, "blurred": 2.0}, unfit))
    samples = scrape(client)
    shown = {
        problem: value(samples, "camera_quality", camera="Gate", problem=problem)
        for problem in ("black", "covered", "frozen", "moved", "blurred")
    }
    assert shown == {"black": 0, "covered": 0, "frozen": 1, "moved": 0, "blurred": 1}
    assert value(samples, "camera_fit", camera="Gate") == 0


def test_a_cameras_fault_is_shown_while_it_lasts_and_counted_each_time(
    client: FlaskClient, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    fault = ("maskwatch_camera_fault", frozenset({("camera", "Gate"), ("kind", "hung_up")}))
    for times in (1, 2):
        camera.set_state("offline", error_kind="hung_up", error="It hangs up.")
        camera.set_state("offline", error_kind="hung_up", error="It hangs up.")
        samples = scrape(client)
        assert samples[fault] == 1
        assert value(samples, "camera_faults_total", camera="Gate", kind="hung_up") == times
        camera.set_state("live", notice_kind="slow", notice="It is slow.")
        samples = scrape(client)
        assert fault not in samples
        assert value(samples, "camera_fault", camera="Gate", kind="slow") == 1
        camera.set_state("live")
    assert not [name for name, _ in scrape(client) if name == "maskwatch_camera_fault"]


def test_a_summary_of_a_thousand_analysed_cameras_is_a_small_scrape(redis: Redis) -> None:
    for number in range(1000):
        camera = add_camera(redis, f"Camera {number:04} of the northern hall")
        counted = {people_field("mask"): 3, dropped_field("stale"): 2, frames_field("analysed"): 9}
        redis.hset(CameraKeys(camera.id).totals, mapping={str(n): v for n, v in counted.items()})
    client = key_client(make_app(redis), redis)
    assert len(client.get("/metrics?detail=summary").data) < 1_500_000
    samples = scrape(client, "?detail=summary")
    one = "Camera 0999 of the northern hall"
    assert value(samples, "people_total", camera=one, verdict="mask") == 3
    assert value(samples, "frames_dropped_total", camera="", cause="stale") == 2000
    assert value(samples, "camera_up", camera=one) == 0
    refused = client.get("/metrics?detail=little")
    assert (refused.status_code, "detail" in refused.text) == (422, True)


def test_a_thousand_cameras_that_are_registered_and_mostly_off_are_a_small_scrape(
    redis: Redis,
) -> None:
    for number in range(1000):
        add_camera(redis, f"Camera {number:04} of the northern hall", enabled=number < 4)
    text = key_client(make_app(redis), redis).get("/metrics").text
    assert len(text) < 1_500_000
    assert text.count("Camera 0999 of the northern hall") >= 1, "its name is kept"
