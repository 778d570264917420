"""What the processes log: redacted in both formats, and never a flood."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.cameras.camera import Camera
from runtime import logs
from runtime.log_limit import MOST, WINDOW_S, LimitedHandler
from runtime.logs import about, configure_logging

URL = "rtsp://admin:s3cret@10.0.0.9/live?token=s3cret"
CAMERA = Camera(id="c1", name="Größe", source="demo:")
Log = Callable[[], list[str]]


@pytest.fixture
def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Configures the log as a stage does and returns its lines; puts back what was there."""
    root, written = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    monkeypatch.setattr(logs.sys, "stderr", written)
    configure_logging("worker", "INFO", getattr(request, "param", "json"))
    yield lambda: written.getvalue().splitlines()
    root.handlers[:], root.level = before, level


def test_a_line_of_json_says_what_it_is_about(log: Log) -> None:
    extra = about(CAMERA, frame=7, event="frame_undecodable")
    logging.getLogger("worker.intake").warning("frame %d is no JPEG", 7, extra=extra)
    [line] = log()
    record = json.loads(line)
    assert list(record)[:8] == [
        "time",
        "level",
        "role",
        "process",
        "event",
        "camera_id",
        "camera",
        "frame",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", record["time"])
    assert (record["level"], record["role"]) == ("WARNING", "worker")
    assert (record["camera"], record["camera_id"], record["frame"]) == ("Größe", "c1", 7)
    assert (record["event"], record["message"]) == ("frame_undecodable", "frame 7 is no JPEG")
    assert record["logger"] == "worker.intake"


def test_an_event_without_a_name_has_that_of_its_place(log: Log) -> None:
    logging.getLogger("x").info("hello")
    record = json.loads(log()[0])
    assert record["event"] == "test_logs.test_an_event_without_a_name_has_that_of_its_place"
    assert {"camera", "camera_id", "frame", "rule", "left_out"}.isdisjoint(record)


@pytest.mark.parametrize("log", ["json", "text"], indirect=True)
def test_no_password_is_in_a_message_an_argument_a_traceback_or_an_extra(log: Log) -> None:
    class Address:
        def __str__(self) -> str:
            return URL

    try:
        raise ValueError(f'cannot open "{URL}" or {URL}\\')
    except ValueError:
        gate = Camera(id="c1", name=f"Gate {URL}", source="demo:")
        extra = about(gate) | {
            "where": [Address(), {URL: URL}],
            "also": Address(),
        }
        logging.getLogger("x").exception('failed: "%s" %s\\', URL, Address(), extra=extra)
    written = "\n".join(log())
    assert "10.0.0.9" in written
    assert "ValueError" in written
    assert "s3cret" not in written


@pytest.mark.parametrize("log", ["text"], indirect=True)
def test_a_line_of_text_tells_the_time_in_utc(log: Log) -> None:
    """Fails only where the machine's time zone is another: `test_surroundings` runs it there."""
    before = datetime.now(UTC).replace(microsecond=0)
    logging.getLogger("x").warning("now")
    told = datetime.fromisoformat(log()[0].split()[0])
    assert before <= told <= datetime.now(UTC)


def test_whatever_is_logged_is_one_whole_line_of_json(log: Log) -> None:
    for message in (f'{URL}"', f"{URL}\\", "two\nlines\u2028three", f'"{URL}\\"', "%", "{}"):
        logging.getLogger("x").error("%s", message)
    logging.getLogger("x").error({"not": URL, "a": "message"})
    lines = log()
    assert [line for line in lines if "s3cret" in line] == []
    for line in lines:
        json.loads(line)


class Flood:
    """A handler whose clock a test moves."""

    def __init__(self, window_s: float = WINDOW_S) -> None:
        self.now_s = 0.0
        self.written = io.StringIO()
        self.handler = LimitedHandler(self.written, window_s, lambda: self.now_s)

    def log(self, times: int = 1, level: int = logging.WARNING, **subject: Any) -> None:
        for _ in range(times):
            record = logging.LogRecord("x", level, "place.py", 7, "refused %s", ("it",), None)
            record.__dict__.update(about(**subject))
            self.handler.handle(record)

    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()


def test_an_event_that_repeats_is_written_a_few_times_and_then_counted() -> None:
    flood = Flood()
    flood.log(MOST + 41, camera_id="a")
    assert flood.lines() == ["refused it"] * MOST
    flood.now_s += WINDOW_S
    flood.handler.say_what_was_left_out()
    assert flood.lines()[MOST:] == ["refused it (and 41 more in the last minute)"]
    flood.log(MOST + 1, camera_id="a")
    assert flood.lines()[MOST + 1 :] == ["refused it"] * MOST


def test_another_camera_another_rule_and_debugging_are_not_the_same_event_again() -> None:
    flood = Flood()
    for camera in range(20):
        flood.log(MOST, camera_id=str(camera))
        flood.log(MOST, camera_id="a", rule=str(camera))
    assert len(flood.lines()) == 40 * MOST
    flood.log(100, logging.DEBUG, camera_id="b")
    assert len(flood.lines()) == 40 * MOST + 100


def test_what_was_left_out_is_said_where_nothing_else_happens_and_at_the_end() -> None:
    code = (
        "import logging, sys, time; from runtime.log_limit import LimitedHandler;"
        "logging.getLogger().handlers[:] = [LimitedHandler(sys.stderr, float(sys.argv[1]))];"
        f"[logging.error('x') for _ in range({MOST + 2})];"
        "time.sleep(float(sys.argv[2]))"
    )
    for window_s, sleep_s in ((0.2, 2.0), (999, 0)):
        command = [sys.executable, "-c", code, str(window_s), str(sleep_s)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        last = f"x (and 2 more in the last {window_s:g} s)"
        assert ended.stderr.splitlines() == ["x"] * MOST + [last]


def test_a_flood_of_many_cameras_leaves_nothing_behind() -> None:
    flood = Flood()
    for number in range(1000):
        flood.log(camera_id=str(number))
    flood.now_s += WINDOW_S
    flood.log(camera_id="last")
    assert len(flood.handler._limit._windows) == 1
