"""What is installed is what a lock names: every version, with the hashes of its files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.test_deploy import ROOT, requirements

SOURCES = sorted([*ROOT.glob("requirements*.txt"), *ROOT.glob("deploy/requirements*.txt")])
LOCKS = sorted([*ROOT.glob("*.lock"), *ROOT.glob("deploy/*.lock")])
INSTALLERS = ("Makefile", "deploy/Dockerfile", "deploy/systemd/README.md")
PYTHONS = ("3.11", "3.12", "3.13")


def locked(path: Path) -> dict[str, tuple[Requirement, set[str]]]:
    """Each package's pin and hashes, by its canonical name."""
    text = re.sub(r"\\\n", " ", path.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = {}
    for line in lines:
        pin, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(pin)
        name = canonicalize_name(requirement.name)
        assert name not in found, f"{path.name} has two versions of {name}"
        found[name] = (requirement, set(hashes))
    return found


def named(path: Path) -> list[Requirement]:
    """What a list asks for, the lists that it includes left out."""
    kept = [
        line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("-r ")
    ]
    lines = [line.partition(" #")[0].strip() for line in kept]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_list_of_packages_has_a_lock_and_every_lock_a_list() -> None:
    assert [path.with_suffix("") for path in SOURCES] == [path.with_suffix("") for path in LOCKS]
    assert len(LOCKS) > 5


@pytest.mark.parametrize("source", SOURCES, ids=name_of)
def test_a_lock_has_what_its_list_asks_for(source: Path) -> None:
    lock = locked(source.with_suffix(".lock"))
    for wanted in named(source):
        pin, _ = lock[canonicalize_name(wanted.name)]
        [version] = [one.version for one in pin.specifier]
        assert wanted.specifier.contains(version), f"{wanted}: run make lock"


@pytest.mark.parametrize("path", LOCKS, ids=name_of)
def test_a_lock_pins_each_package_by_hashes_and_names_no_place_to_get_it_from(path: Path) -> None:
    for requirement, hashes in locked(path).values():
        [specifier] = requirement.specifier
        assert specifier.operator == "=="
        assert "*" not in specifier.version
        assert requirement.url is None
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes)
    assert not re.search(r"://|index-url|find-links|trusted-host", path.read_text(encoding="utf-8"))


def test_a_package_has_one_version_in_all_locks() -> None:
    versions: dict[str, set[tuple[str, frozenset[str]]]] = {}
    for path in LOCKS:
        for name, (requirement, hashes) in locked(path).items():
            versions.setdefault(name, set()).add((str(requirement.specifier), frozenset(hashes)))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_of_what_runs_serves_every_python_that_we_support(python: str) -> None:
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    lock = locked(ROOT / "requirements.lock")
    for name in requirements(ROOT / "requirements.txt"):
        pin, _ = lock[canonicalize_name(name)]
        assert pin.marker is None or pin.marker.evaluate(environment), f"no {name} for {python}"


@pytest.mark.parametrize("name", INSTALLERS)
def test_nothing_is_installed_that_no_lock_names(name: str) -> None:
    text = re.sub(r"\\\n", " ", (ROOT / name).read_text())
    checked = "PIP_REQUIRE_HASHES=1" in text
    # make's variable for the options of all that is locked
    [(_, options)] = re.findall(r"^(LOCKED) := (.*)$", text, re.MULTILINE) or [("", "")]
    lines = [line.replace("$(LOCKED)", options) for line in text.splitlines()]
    commands = [part for line in lines for part in re.findall(r"pip\"? install[^;|}&]*", line)]
    assert commands
    for command in commands:
        ours = "--no-deps" in command and "--editable" in command
        from_lock = ".lock" in command or "$(1)" in command
        assert ours or (from_lock and (checked or "--require-hashes" in command)), command
