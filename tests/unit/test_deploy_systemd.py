"""The systemd units: read by systemd itself where it is, and in any case line by line."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from maskwatch.cli import main
from runtime.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted([*FOLDER.glob("*.service"), *FOLDER.glob("*.target")])
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
COMMON = FOLDER / "maskwatch-.service.d" / "common.conf"
PROGRAM = "/opt/maskwatch/.venv/bin/maskwatch"
STAGES = {"ingest", "worker", "jobs", "images", "recordings", "alerts", "dashboard"}
SECTIONS = {"Unit", "Service", "Install"}


def options(path: Path) -> Iterator[tuple[str, str, str]]:
    """Section, name and value of each line; anything else in the file is an error."""
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        heading = re.fullmatch(r"\[(\w+)\]", line)
        if heading:
            section = heading[1]
            assert section in SECTIONS
            continue
        name, equals, value = line.partition("=")
        assert equals, f"{path.name}: {line}"
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name), f"{path.name}: {line}"
        assert section, f"{path.name}: {line} is in no section"
        yield section, name, value


@pytest.mark.parametrize("unit", [*UNITS, COMMON], ids=lambda path: path.name)
def test_every_line_of_a_unit_is_one_that_systemd_reads(unit: Path) -> None:
    assert list(options(unit))


def test_there_is_a_unit_for_each_stage_and_it_runs_a_command_that_exists() -> None:
    commands = {
        value.removeprefix(PROGRAM).strip()
        for unit in SERVICES
        for _, name, value in options(unit)
        if name == "ExecStart"
    }
    assert commands == STAGES
    assert commands <= main.commands.keys()


def test_only_those_who_open_passwords_see_the_key() -> None:
    blind = {unit.stem for unit in SERVICES if "/etc/maskwatch/secret.key" in unit.read_text()}
    assert blind == {"maskwatch-worker@", "maskwatch-images", "maskwatch-recordings"}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_each_unit_comes_into_redis_as_its_own_user_and_sees_its_password_alone(
    unit: Path,
) -> None:
    [command] = [value for _, name, value in options(unit) if name == "ExecStart"]
    role = command.removeprefix(PROGRAM).strip()
    found = [value for _, name, value in options(unit) if name in {"Environment", "LoadCredential"}]
    password = f"/etc/maskwatch/redis/redis-{role}.password"
    assert found == [f"MASKWATCH_REDIS_USER={role}", f"redis.password:{password}"]
    assert "MASKWATCH_REDIS_PASSWORD_FILE=/run/credentials/%n/redis.password" in COMMON.read_text()


def test_what_is_common_keeps_trying_and_may_do_little() -> None:
    common = {name: value for _, name, value in options(COMMON)}
    assert common["Restart"] == "always"
    assert common["StartLimitIntervalSec"] == "0"
    assert common["CapabilityBoundingSet"] == ""
    assert common["ProtectSystem"] == "strict"
    assert common["NoNewPrivileges"] == "yes"


def test_the_example_sets_what_there_is_to_set() -> None:
    lines = (FOLDER / "maskwatch.env.example").read_text().splitlines()
    named = {line.lstrip("# ").partition("=")[0] for line in lines if "=" in line}
    assert {f"{PREFIX}REDIS_URL", f"{PREFIX}SECRET_KEY_FILE"} <= named
    assert named <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units with a program that is there, since systemd looks."""
    shutil.copytree(FOLDER, tmp_path / "units")
    for unit in (tmp_path / "units").glob("*.service"):
        unit.write_text(unit.read_text().replace(PROGRAM, sys.executable))
    return tmp_path / "units"


def complaints(installed: Path, unit: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(installed / unit.replace("@.", "@1."))],
        env={"SYSTEMD_UNIT_PATH": f"{installed}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stderr + (f"status {answer.returncode}" if answer.returncode else "")


@pytest.mark.parametrize("unit", [unit.name for unit in UNITS])
def test_systemd_has_nothing_to_say_against_a_unit(installed: Path, unit: str) -> None:
    assert complaints(installed, unit) == ""


@pytest.mark.parametrize("unit", ["maskwatch-jobs.service", "maskwatch-worker@.service"])
def test_systemd_reads_what_is_common_to_all(installed: Path, unit: str) -> None:
    with (installed / "maskwatch-.service.d" / "common.conf").open("a") as file:
        file.write("[Service]\nNonsense=1\n")
    assert "Nonsense" in complaints(installed, unit)
