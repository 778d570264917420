"""What an operator does with the Compose file, in order, on one station.

The steps build on one another: each leaves the station running and healthy.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.containers.engine import Daemon
from tests.containers.station import OVERRIDE, Station, until

STAGES = ("ingest", "worker", "images", "recordings", "jobs", "alerts", "dashboard")
OUTER_NAMESERVER = "10.0.2.3"
"""Answers from outside of the host, as far as containers can tell."""
ASK = f"""
import socket
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.settimeout(3)
question = bytes.fromhex("00010100000100000000000002") + b"x" * 2 + bytes.fromhex("0000010001")
asked.sendto(question, ("{OUTER_NAMESERVER}", 53))
print(len(asked.recv(512)) > 0)
"""


def healthy(station: Station) -> bool:
    found = [one for group in station.containers().values() for one in group]
    return bool(found) and all(
        one["State"].get("Health", {}).get("Status", "healthy") == "healthy" for one in found
    )


def report(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n  {text}\n")


def test_from_nothing_to_the_first_person(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["deploy/make_secrets.sh"], cwd=station.folder, check=True, umask=0o077)
    took_s = station.up("--build")
    link = re.search(r"http://127\.0\.0\.1:8000(/\S+)", station.maskwatch("user", "link"))
    assert link, "no link to the published address"
    assert station.fetch(link[1])[0] == 200
    station.maskwatch("camera", "add", "Demo", "demo:")
    until("a person is counted", lambda: station.people() > 0)
    report(capsys, f"built and healthy after {took_s:.0f} s")


def test_images_are_as_small_as_promised(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = station.engine.docker("image", "ls", "--format", "{{.Repository}} {{.Size}}")
    sizes = dict(line.split(" ", 1) for line in listed.splitlines() if "maskwatch-" in line)
    assert {"maskwatch-ingest", "maskwatch-worker", "maskwatch-dashboard"} <= sizes.keys()
    report(capsys, ", ".join(f"{name} {size}" for name, size in sorted(sizes.items())))


def test_every_stage_says_that_it_runs(station: Station) -> None:
    for stage in STAGES:
        assert station.compose("logs", "--no-log-prefix", stage).strip(), f"{stage} says nothing"


def test_nothing_runs_with_rights_that_it_does_not_need(station: Station) -> None:
    for name, group in station.containers().items():
        for one in group:
            host = one["HostConfig"]
            assert host["ReadonlyRootfs"] is True, name
            assert not host["Privileged"], name
            assert host["CapDrop"] == ["ALL"], name
            assert one["Config"]["User"].split(":")[0] not in {"", "0", "root"}, name
        written = station.compose("exec", "-T", name, "sh", "-c", "touch /probe; id -u", fails=True)
        assert "Read-only file system" in written, written
        assert written.split()[-1] != "0", name


def test_only_stages_that_must_reach_outside_can(station: Station) -> None:
    def reaches_outside(stage: str) -> bool:
        return "True" in station.compose("exec", "-T", stage, "python", "-c", ASK, fails=True)

    assert reaches_outside("ingest"), "the test asks nobody"
    assert not [stage for stage in ("worker", "images", "dashboard") if reaches_outside(stage)]


def test_another_up_changes_nothing(station: Station) -> None:
    def known() -> set[str]:
        return {one["Id"] for group in station.containers().values() for one in group}

    before = known()
    station.up()
    assert known() == before
    station.up("--build")
    assert known() == before


def test_four_workers_and_back(station: Station) -> None:
    def workers() -> int:
        return len(station.containers()["worker"])

    station.up(WORKERS="4")
    assert workers() == 4
    (station.folder / ".env").write_text("WORKERS=4\n", encoding="utf-8")
    station.up()
    assert workers() == 4, "a plain `up` removed workers"
    (station.folder / ".env").unlink()
    before = station.people()
    station.up()
    assert workers() == 1
    until("the remaining worker counts", lambda: station.people() > before)


def test_every_service_comes_back_after_it_was_killed(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in sorted(station.containers()):
        before, killed = station.people(), station.containers()[name][0]
        os.kill(killed["State"]["Pid"], signal.SIGKILL)
        at = time.monotonic()

        def is_back(name: str = name, old: str = killed["State"]["StartedAt"]) -> bool:
            found = station.containers().get(name, [])
            return bool(found) and found[0]["State"]["StartedAt"] != old

        until(f"{name} is back", is_back)
        report(capsys, f"{name} was back {time.monotonic() - at:.1f} s after kill -9")
        until(f"people are counted after {name} was killed", lambda b=before: station.people() > b)
    until("all is healthy", lambda: healthy(station), within_s=120)


@pytest.mark.parametrize("what", ["Redis", "the engine", "everything"])
def test_nothing_is_lost_by_a_restart(station: Station, daemon: Daemon, what: str) -> None:
    before = station.people()
    if what == "Redis":
        station.compose("restart", "redis")
    elif what == "the engine":
        daemon.stop()
        daemon.start()
    else:
        station.compose("down")
        station.up()
    until("all is healthy", lambda: healthy(station), within_s=120)
    until("people are counted on top of those before", lambda: station.people() > before)
    assert "Demo" in station.maskwatch("camera", "list")


def test_a_backup_brings_everything_back(station: Station) -> None:
    """With the very command that the documentation gives."""
    text = (station.folder / "deploy/README.md").read_text()
    found = re.search(r"^docker (compose run .* maskwatch backup .*)$", text, re.MULTILINE)
    assert found
    command = found[1].replace("$PWD", str(station.folder)).replace("$(id -u)", str(os.getuid()))
    station.compose(*shlex.split(command)[1:])
    before = station.people()
    station.compose("down", "--volumes")
    station.up()
    assert "Demo" not in station.maskwatch("camera", "list")
    restore = command.replace("maskwatch backup", "maskwatch restore")
    station.compose(*shlex.split(restore)[1:])
    assert "Demo" in station.maskwatch("camera", "list")
    until("counts are back", lambda: station.people() >= before)


def test_a_wrong_password_is_told_and_not_shown(station: Station) -> None:
    file = station.folder / "deploy/secrets/redis-worker.password"
    right = file.read_text()
    wrong = right[::-1]
    file.write_text(wrong, encoding="utf-8")
    station.compose("up", "--detach", "--force-recreate", "--no-deps", "worker")

    def told() -> str:
        logs = station.compose("logs", "--no-log-prefix", "worker")
        return logs if "password" in logs else ""

    logs = until("the worker tells that Redis refuses its password", told)
    assert wrong not in logs
    assert "Traceback" not in logs
    file.write_text(right, encoding="utf-8")
    station.compose("up", "--detach", "--force-recreate", "--no-deps", "worker")
    until("all is healthy", lambda: healthy(station), within_s=120)


@contextmanager
def redis_on_a_small_disk(station: Station) -> Iterator[None]:
    """Give Redis an empty disk of 24 MB."""
    override = station.folder / OVERRIDE
    before = override.read_text() if override.exists() else "services: {}\n"
    disk = "{type: tmpfs, device: tmpfs, o: 'size=24m,uid=999'}"
    override.write_text(f"{before}\nvolumes:\n  redis: {{driver_opts: {disk}}}\n", "utf-8")
    station.compose("down", "--volumes")
    yield
    station.compose("down", "--volumes")
    override.write_text(before, "utf-8")


def test_a_full_disk_of_redis_is_told_and_survived(station: Station) -> None:
    with redis_on_a_small_disk(station):
        station.up()
        station.maskwatch("camera", "add", "Demo", "demo:")
        before = until("a person is counted", station.people)
        fill = "dd if=/dev/zero of=/data/full bs=64k"
        station.compose("exec", "-T", "redis", "sh", "-c", fill, fails=True)
        until("/healthz says so", lambda: station.health()[0] == 503)
        assert "Redis" in station.health()[1]
        station.compose("exec", "-T", "redis", "rm", "/data/full")
        until("all is healthy", lambda: healthy(station) and station.health()[0] == 200, 120)
        until("people are counted on top of those before", lambda: station.people() > before)
