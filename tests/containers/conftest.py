"""The engine and the station that all these tests share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.containers.base_images import provide_base_images
from tests.containers.engine import Daemon, Engine, NoEngineError, client_folder, require_programs
from tests.containers.station import ROOT, Station, checkout

KEPT = ROOT / "out" / "containers"


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """An engine of our own, or a skip that says why there is none."""
    if "MASKWATCH_CONTAINERS" not in os.environ:
        pytest.skip("takes minutes: make containers")
    # Unix sockets have short paths.
    folder = tmp_path_factory.mktemp("engine")
    found = Daemon(folder)
    try:
        require_programs()
        client_folder(folder, KEPT / "compose")
        found.start()
    except NoEngineError as error:
        found.stop()
        pytest.skip(str(error))
    yield found
    found.stop()


@pytest.fixture(scope="session")
def missing_images(daemon: Daemon) -> Collection[str]:
    """The base images that cannot be had here."""
    try:
        return provide_base_images(daemon.client, KEPT)
    except NoEngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def engine(daemon: Daemon) -> Engine:
    """The client of the running engine."""
    return daemon.client


@pytest.fixture(scope="module")
def station(
    engine: Engine, missing_images: Collection[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Station]:
    """A fresh checkout; what it started ends with it."""
    folder: Path = tmp_path_factory.mktemp("station") / "maskwatch"
    checkout(folder, None, missing_images)
    found = Station(engine, folder)
    yield found
    found.compose("down", "--volumes", "--remove-orphans", fails=True)


@pytest.fixture(scope="session")
def previous_version() -> str:
    """A revision from which operators upgrade to this one."""
    named = os.environ.get("MASKWATCH_PREVIOUS")
    if named:
        return named
    tag = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tag.returncode:
        pytest.skip("no earlier version is tagged; name one: MASKWATCH_PREVIOUS=REVISION")
    return tag.stdout.strip()
