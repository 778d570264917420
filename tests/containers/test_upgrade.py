"""From the previous version's images to these."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Collection
from pathlib import Path

from tests.containers.engine import Engine
from tests.containers.station import Station, checkout, until


def test_cameras_and_counts_outlive_an_upgrade(
    engine: Engine, missing_images: Collection[str], previous_version: str, tmp_path: Path
) -> None:
    old = Station(engine, tmp_path / "old" / "maskwatch")
    new = Station(engine, tmp_path / "new" / "maskwatch")
    checkout(old.folder, previous_version, missing_images)
    checkout(new.folder, None, missing_images)
    _without_a_registrys_syntax(old.folder)
    try:
        subprocess.run(["deploy/make_secrets.sh"], cwd=old.folder, check=True)
        old.compose("up", "--build", "--detach")
        until("the dashboard answers", lambda: old.health()[0] == 200, within_s=180)
        old.maskwatch("camera", "add", "Demo", "demo:")
        before = until("a person is counted", old.people)
        old.compose("down")
        shutil.copytree(old.folder / "deploy/secrets", new.folder / "deploy/secrets")
        subprocess.run(["deploy/make_secrets.sh"], cwd=new.folder, check=True)
        new.up("--build")
        assert "Demo" in new.maskwatch("camera", "list")
        until("people are counted on top of those before", lambda: new.people() > before)
    finally:
        new.compose("down", "--volumes", fails=True)


def _without_a_registrys_syntax(folder: Path) -> None:
    """Earlier Dockerfiles named a frontend that only a registry has."""
    dockerfile = folder / "deploy" / "Dockerfile"
    lines = dockerfile.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("# syntax=")]
    dockerfile.write_text("".join(kept), encoding="utf-8")
