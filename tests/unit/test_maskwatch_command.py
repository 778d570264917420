"""The command line, and the Redis and processes it starts."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from redis import Redis

from bus.bus import Bus
from bus.connection.client import check_server, connect
from bus.keys import CameraKeys
from bus.server.embedded import EmbeddedRedis
from bus.stores.cameras import CameraRegistry
from bus.wire import PICTURES_SEALED, WIRE
from contract.errors import RedisTooOldError, RedisUnavailableError, SettingsError
from contract.people.faces import FrameFaces
from maskwatch.cli import main
from maskwatch.processes import StageProcess
from maskwatch.run import (
    BESIDE_AFTER_S,
    DEMO_CAMERAS,
    _prepare,
    all_due_since,
    dashboard_url,
    parse_cameras,
    register_cameras,
    starts_beside,
    workers_of,
)
from runtime.settings import load_settings
from tests.builders import Source, add_camera, frames_of
from tests.secret_key import key_file, vault


def run_command(redis_url: str, *arguments: str) -> tuple[int, str]:
    environment = {
        "MASKWATCH_REDIS_URL": redis_url,
        "MASKWATCH_SECRET_KEY_FILE": str(key_file()),
    }
    result = CliRunner().invoke(main, arguments, env=environment)
    return result.exit_code, result.output


def registered(redis: Redis, wanted: dict[str, str]) -> int:
    bus = Bus(redis, vault())
    return register_cameras(bus.cameras, bus.alert_channels, wanted)


def test_cameras_are_read_from_one_argument() -> None:
    assert parse_cameras("gate=rtsp://u:p=x@10.0.0.9/live  hall=0") == {
        "gate": "rtsp://u:p=x@10.0.0.9/live",
        "hall": "0",
    }


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "0.0.0.0", "port": 9000}, "http://127.0.0.1:9000"),  # noqa: S104
        ({"host": "::1"}, "http://[::1]:8000"),
        ({"published_address": "0.0.0.0:9000"}, "http://127.0.0.1:9000"),
        ({"host": "0.0.0.0", "published_address": "[::1]:80"}, "http://[::1]:80"),  # noqa: S104
        ({"path_prefix": "/masks/"}, "http://127.0.0.1:8000/masks"),
        (
            {
                "behind_proxy": True,
                "proxy_addresses": "127.0.0.1",
                "trusted_hosts": "wall.example.org, b",
            },
            "https://wall.example.org",
        ),
    ],
)
def test_a_printed_link_leads_to_where_people_open_the_dashboard(
    settings: dict[str, object], url: str
) -> None:
    assert dashboard_url(load_settings({}, **settings)) == url


@pytest.mark.parametrize("blank", ["pa s3cret", "pa s3=cret", "s3cret s3=cret@h s3=cret"])
def test_a_blank_in_a_password_is_told_without_a_piece_of_the_password(blank: str) -> None:
    with pytest.raises(SettingsError, match=r"pair 2.*%20") as caught:
        parse_cameras(f"gate=rtsp://admin:{blank}@10.0.0.9/live")
    assert not {"s3", "cret", "pa"} & set(re.findall(r"\w+", str(caught.value)))


@pytest.mark.parametrize("argument", ["rtsp://10.0.0.9/live", "=0", "gate=", "a=0 a=1"])
def test_a_camera_argument_that_is_none_says_what_was_expected(argument: str) -> None:
    with pytest.raises(SettingsError, match="CAMERAS"):
        parse_cameras(argument)


def test_demo_cameras_come_when_there_are_none_and_go_when_real_ones_come(redis: Redis) -> None:
    assert registered(redis, {}) == len(DEMO_CAMERAS)
    assert registered(redis, {}) == len(DEMO_CAMERAS)
    assert registered(redis, {"gate": "0"}) == 1
    assert registered(redis, {"gate": "1"}) == 1
    assert [camera.source for camera in CameraRegistry(redis).all()] == ["1"]


def test_cameras_are_added_listed_and_removed_without_showing_passwords(
    redis: Redis, redis_url: str
) -> None:
    status, output = run_command(redis_url, "camera", "add", "Gate", "rtsp://u:s3cret@h/1")
    assert (status, "s3cret" in output) == (0, False)
    status, output = run_command(redis_url, "camera", "list")
    assert status == 0
    assert "Gate" in output
    assert "offline" in output
    assert "s3cret" not in output
    assert run_command(redis_url, "camera", "remove", "Gate")[0] == 0
    assert CameraRegistry(redis).all() == []


def test_a_wrong_command_ends_with_one_line_that_helps(redis: Redis, redis_url: str) -> None:
    status, output = run_command(redis_url, "camera", "add", "Gate", "ftp://host/x")
    assert status == 2
    assert output.startswith("maskwatch: source:")
    assert "rtsp://" in output
    status, output = run_command(redis_url, "camera", "remove", "Nowhere")
    assert (status, "Nowhere" in output) == (2, True)


def test_a_redis_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RedisUnavailableError, match=r"nowhere\.sock cannot be reached"):
        check_server(connect(f"unix://{tmp_path}/nowhere.sock"))


def test_a_redis_too_old_is_refused(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "info", lambda _: {"redis_version": "5.0.14"})
    with pytest.raises(RedisTooOldError, match=r"5\.0\.14; Maskwatch needs 6\.2"):
        check_server(redis)


def test_what_was_stored_survives_a_killed_redis(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    client = connect(server.url)
    client.set("people", 7)
    time.sleep(1.2)  # the append-only file is flushed every second
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while server.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    server.start()
    try:
        assert connect(server.url).get("people") == b"7"
    finally:
        server.stop()


def test_a_second_redis_in_the_same_folder_is_refused(redis_server: EmbeddedRedis) -> None:
    second = EmbeddedRedis(redis_server.socket_path.parent)
    with pytest.raises(RedisUnavailableError, match="already runs"):
        second.start()


def test_the_file_is_written_anew_once_it_has_grown_and_no_frame_is_lost(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        client = connect(server.url)
        camera = add_camera(client)
        Source(client, camera).publish()
        assert not server.compact()
        assert server.compact(above_bytes=0)
        eventually(lambda: not client.info("persistence")["aof_rewrite_in_progress"])
        rewritten = b"".join(path.read_bytes() for path in (tmp_path / "redis").rglob("*.aof"))
        assert b"maskwatch:cameras" in rewritten
        assert len(frames_of(client, camera.id)) == 1
    finally:
        server.stop()


def test_pictures_of_a_version_that_did_not_seal_them_leave_the_file(tmp_path: Path) -> None:
    server = EmbeddedRedis(tmp_path / "redis")
    server.start()
    try:
        client = connect(server.url)
        client.set(WIRE, PICTURES_SEALED - 1)
        client.set("rq:results:1", b"a picture", ex=60)
        client.delete("rq:results:1")

        def written() -> bytes:
            return b"".join(path.read_bytes() for path in (tmp_path / "redis").rglob("*.aof"))

        eventually(lambda: b"a picture" in written())
        assert _prepare(Bus(client, vault()), {}, threading.Event(), ours=True)
        eventually(lambda: b"a picture" not in written() and b"maskwatch:cameras" in written())
    finally:
        server.stop()


def eventually(condition: Callable[[], object], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_no_picture_waits_for_starts_after_the_first_one_or_after_a_while(
    redis: Redis,
) -> None:
    camera, now_s = add_camera(redis), time.time()

    def analysed(captured_at_s: float) -> None:
        faces = FrameFaces(camera.id, 1, 1, captured_at_s, now_s, 640, 360, "maskwatch", ())
        redis.set(CameraKeys(camera.id).latest, faces.encode())

    bus = Bus(redis)

    def due(began_s: float) -> bool:
        return all_due_since(bus.roster, bus.snapshots, began_s)

    assert not due(now_s)
    analysed(now_s - 60)
    assert not due(now_s), "that was before the start"
    analysed(now_s + 1)
    assert due(now_s)
    redis.delete(CameraKeys(camera.id).latest)
    assert due(now_s - BESIDE_AFTER_S - 1)


@pytest.mark.parametrize(
    ("cores", "asked", "workers"),
    [(1, {}, 1), (2, {}, 2), (96, {}, 4), (96, {"workers": 9}, 9), (2, {"workers": 0}, 0)],
)
def test_there_is_a_worker_a_core_up_to_four_unless_asked_otherwise(
    monkeypatch: pytest.MonkeyPatch, cores: int, asked: dict[str, int], workers: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert workers_of(load_settings({}, **asked)) == workers


def test_one_worker_uses_a_gpu() -> None:
    assert workers_of(load_settings({"MASKWATCH_DEVICE": "cuda"})) == 1


def test_the_first_picture_waits_for_the_first_worker_alone() -> None:
    waiting = [name for name in ("dashboard", "worker 1", "worker 2") if not starts_beside(name)]
    assert waiting == ["dashboard", "worker 1"]


def test_a_stage_that_ends_is_started_again() -> None:
    stage = StageProcess("short", [sys.executable, "-c", "raise SystemExit(3)"], {})
    stage.start()
    status, deadline = None, time.monotonic() + 30
    while status is None and time.monotonic() < deadline:
        status = stage.keep_running()
    assert status == 3
    while stage.pid is None and time.monotonic() < deadline:
        stage.keep_running()
    assert stage.pid is not None
    stage.finish(time.monotonic())


def test_a_stage_that_does_not_end_is_killed_with_its_children() -> None:
    stubborn = (
        "import signal, subprocess, sys, time;"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "time.sleep(60)"
    )
    stage = StageProcess("stubborn", [sys.executable, "-c", stubborn], {})
    stage.start()
    pid = stage.pid
    assert pid is not None
    eventually(lambda: psutil.Process(pid).children())
    [child] = psutil.Process(pid).children()
    stage.terminate()
    stage.finish(time.monotonic() + 0.2)
    _, alive = psutil.wait_procs([child], timeout=30)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []


def test_lines_zones_and_ignored_areas_are_typed_replaced_and_cleared(
    redis: Redis, redis_url: str
) -> None:
    drawn = ["--line", "Door=0.1,0.6 0.9,0.6", "--ignore", "0,0 0.2,0 0.2,0.3"]
    assert run_command(redis_url, "camera", "add", "Gate", "0", *drawn)[0] == 0
    [camera] = CameraRegistry(redis).all()
    assert camera.lines[0].name == "Door"
    assert camera.ignored == (((0, 0), (0.2, 0), (0.2, 0.3)),)
    change = ["camera", "change", "Gate", "--zone", "Queue=0,0 1,0 1,1", "--clear", "ignored"]
    assert run_command(redis_url, *change)[0] == 0
    [camera] = CameraRegistry(redis).all()
    assert [zone.name for zone in camera.zones] == ["Queue"]
    assert (len(camera.lines), camera.ignored) == (1, ())


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--line", "0.1,0.6 0.9,0.6", "NAME=POINTS"),
        ("--line", "Door=0.1 0.9,0.6", "'0.1' is not a point"),
        ("--line", "Door=0.1,0.6", "2 to 32 points, found 1"),
        ("--zone", "Hall=0,0 1,1 1,0 0,1", "no edge crosses another"),
        ("--ignore", "0,0 640,0 640,480", "expected at most 1"),
    ],
)
def test_a_shape_that_cannot_be_used_says_what_was_expected(
    redis: Redis, redis_url: str, option: str, text: str, words: str
) -> None:
    status, output = run_command(redis_url, "camera", "add", "Gate", "0", option, text)
    assert status == 2
    assert words in output
    assert CameraRegistry(redis).all() == []
