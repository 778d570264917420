"""Probing a source through the job queue."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from redis import Redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from bus import keys
from bus.members.members import Membership
from bus.stores.pictures import PictureStore
from contract.cameras.probes import PROBE_STEPS, SNAPSHOT, SNAPSHOT_FIELD, STEPS_FIELD
from tests.secret_key import other_vault, vault
from tests.servers.clips import make_clip
from tests.servers.http import closed_port, silent_server
from tests.servers.ingest_process import QUICK, eventually, gone
from tests.servers.rtsp import rtsp_server, with_login

RUN = (
    "from runtime.stage import run_stage; from ingest.process.jobs import run; "
    "run_stage('jobs', run)"
)
PATIENCE_S = 240
"""Where much else runs, a probe may take a minute."""
PATIENT = {**QUICK, "MASKWATCH_OPEN_TIMEOUT_S": "10", "MASKWATCH_READ_TIMEOUT_S": "10"}
"""A silent camera is waited for long enough to be seen, and a slow answer is no error."""
UP_TO_SIGNING_IN = ["resolving", "connecting", "authenticating"]


@pytest.fixture
def jobs(redis: Redis, redis_url: str, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **PATIENT, "MASKWATCH_REDIS_URL": redis_url}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", RUN], env=environment, stderr=log)
        yield process
        process.kill()
        process.wait()


def probe(redis: Redis, source: str, sealed: str | None = None) -> Job:
    return Queue(keys.JOBS_QUEUE, connection=redis, serializer=JSONSerializer).enqueue(
        "ingest.probe.probe.probe_camera",
        source,
        sealed,
        description="probe a camera",
        job_timeout=2 * PATIENCE_S,
        ttl=2 * PATIENCE_S,
        result_ttl=2 * PATIENCE_S,
        failure_ttl=2 * PATIENCE_S,
    )


def test_a_probe_shows_a_picture_or_says_what_is_wrong_and_logs_no_password(
    redis: Redis, jobs: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    good = probe(redis, str(make_clip(tmp_path / "clip.mp4", size=(960, 540))))
    sealed = vault().seal("rtsp://admin:s3cret@no-such-host.invalid/x")
    bad = probe(redis, "rtsp://***@no-such-host.invalid/x", sealed)
    unknown = probe(redis, "rtsp://***@host/x", other_vault().seal("rtsp://u:s3cret@host/x"))
    assert eventually(lambda: good.is_finished and bad.is_finished, PATIENCE_S)
    found = good.return_value()
    assert (found["reachable"], found["width"], found["fps"]) == (True, 960, 25.0)
    assert found[SNAPSHOT_FIELD] == "", "Redis writes results to the disk"
    snapshot = PictureStore(redis).get(keys.probe_picture(str(good.id)), SNAPSHOT)
    assert snapshot
    jpeg = np.frombuffer(snapshot, np.uint8)
    assert cv2.imdecode(jpeg, cv2.IMREAD_COLOR).shape == (360, 640, 3)
    missed = bad.return_value()
    assert (missed["reachable"], missed["error"]) == (False, "host_not_found")
    assert eventually(lambda: unknown.is_finished, PATIENCE_S)
    assert unknown.return_value()["error"] == "secret_key"
    assert "s3cret" not in str(missed)
    assert "s3cret" not in (tmp_path / "log").read_text()


def test_a_probe_tells_each_step_while_it_takes_it(
    redis: Redis, jobs: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size=(640, 360))
    with rtsp_server({"live": clip}, "admin", "s3cret") as url, silent_server() as port:
        good = probe(redis, with_login(f"{url}/live", "admin", "s3cret"))
        wrong = probe(redis, with_login(f"{url}/live", "admin", "guessed"))
        silent = probe(redis, f"rtsp://127.0.0.1:{port}/x")
        # While the job runs: a camera that took the connection and says nothing.
        assert eventually(lambda: steps(silent) == UP_TO_SIGNING_IN, PATIENCE_S)
        assert silent.get_status(refresh=True) == "started"
    assert steps(good) == list(PROBE_STEPS)
    assert good.return_value()["fps"] == 25.0
    assert steps(wrong) == UP_TO_SIGNING_IN
    assert wrong.return_value()["error"] == "authentication"
    times_s = [step["after_s"] for step in good.get_meta()[STEPS_FIELD]]
    assert times_s == sorted(times_s)
    nowhere = probe(redis, "rtsp://no-such-host.invalid/x")
    file = probe(redis, str(clip))
    assert eventually(lambda: nowhere.is_finished and file.is_finished, PATIENCE_S)
    assert steps(nowhere) == ["resolving"]
    assert steps(file) == ["waiting", "measuring"]
    assert "s3cret" not in str(good.get_meta())


def test_the_steps_of_a_web_address_are_the_cameras_and_not_those_of_our_proxy(
    redis: Redis, jobs: subprocess.Popen[bytes]
) -> None:
    nowhere = probe(redis, "http://no-such-host.invalid/x")
    refused = probe(redis, f"http://admin:s3cret@127.0.0.1:{closed_port()}/x")
    assert eventually(lambda: nowhere.is_finished and refused.is_finished, PATIENCE_S)
    assert steps(nowhere) == ["resolving"]
    assert steps(refused) == ["resolving", "connecting"]
    with silent_server() as port:
        silent = probe(redis, f"http://127.0.0.1:{port}/x")
        assert eventually(lambda: steps(silent) == UP_TO_SIGNING_IN, PATIENCE_S)


def steps(job: Job) -> list[str]:
    return [step["step"] for step in job.get_meta().get(STEPS_FIELD, [])]


def test_the_job_worker_is_a_member_while_it_runs_and_ends_even_with_a_job_at_hand(
    redis: Redis, jobs: subprocess.Popen[bytes]
) -> None:
    members = Membership(redis, "jobs", 2.0)
    assert eventually(lambda: len(members.live()) == 1, PATIENCE_S)
    with silent_server() as port:
        job = probe(redis, f"rtsp://127.0.0.1:{port}/x")
        assert eventually(lambda: job.get_status() == "started", PATIENCE_S)
        jobs.terminate()
        assert jobs.wait(PATIENCE_S) == 0
    assert gone({jobs.pid})
    assert not members.live()
