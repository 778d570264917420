"""The whole system from a folder, in a locale and in a time zone that few people have."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.scenes.films import write_demo_film
from tests.e2e.test_run import ROOT, Running, analysed
from tests.product import PACKAGES

ODD = "Über $HOME `id` 'a' \"b\" = #1?%41 [x] & ; (c)"
SURROUNDINGS = {
    "LC_ALL": "C",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONUTF8": "0",
    "TZ": "Australia/Lord_Howe",  # half an hour of daylight saving time
}
"""No letter but ASCII can be written to this terminal."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd") / ODD
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "training", "evaluation")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def running(checkout: Path) -> Iterator[Running]:
    films = checkout / "films #1"
    films.mkdir()
    film = write_demo_film("demo:seed=5&people=5", films / "a film%41?.mp4", 4)
    started = Running(
        checkout / "state of ünits", "", checkout=checkout, processes=1, **SURROUNDINGS
    )
    started.film = film  # type: ignore[attr-defined]
    yield started
    started.end()


def send(running: Running, path: str, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
    request = urllib.request.Request(
        f"http://127.0.0.1:{running.port}{path}",
        data,
        {"Content-Type": kind, **running.authorization()},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_cameras_jobs_recordings_and_health_work_there(running: Running) -> None:
    running.wait_for(lambda: running.get("/healthz"), "health")
    source = str(running.film)  # type: ignore[attr-defined]
    made = send(running, "/api/v1/cameras", {"name": "Tür 東", "source": source})
    running.wait_for(lambda: analysed(running, "Tür 東") > 5, "frames of the film")
    probe = send(running, "/api/v1/probes", {"source": "demo:seed=1"})["id"]
    running.wait_for(
        lambda: running.json(f"/api/v1/probes/{probe}")["state"] == "finished", "a camera's test"
    )
    film = Path(source).read_bytes()
    recording = send(running, "/api/v1/recordings?name=a%20film%23.mp4", film)["id"]
    running.wait_for(
        lambda: running.json(f"/api/v1/recordings/{recording}")["state"] == "finished",
        "the recording's report",
        120,
    )
    assert running.get(f"/api/v1/recordings/{recording}/video")
    assert made["name"] == "Tür 東"
    assert "Traceback" not in running.log()
