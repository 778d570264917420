"""`make run` passes settings on as people typed them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPED = (
    "gate=rtsp://admin:pa$word@10.0.0.9/live hall=0",
    "gate=rtsp://admin:$(shell touch ran)@h/live",
    "gate=rtsp://admin:${HOME}$$$@h/live",
    "gate=rtsp://admin:`touch ran`$(touch ran)@h/live",
    'gate=rtsp://a:it\'s"quoted"\\back\\\\slash@h/live#1',
    "gate=rtsp://a:1#2;3&4|5>6<7*8?9[0]{1}!~@h/live",
    "gate=rtsp://ä:%41%2F@h/live?a=b&c=d",
    "gate=0\nhall=1",
    "",
)
STUB = """#!/bin/sh
exec python3 -c 'import json, os, sys; json.dump(dict(os.environ), sys.stdout)'
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that make takes for complete; its program tells what it got."""
    if shutil.which("make") is None:
        pytest.skip("needs make")
    folder = tmp_path_factory.mktemp("venv")
    (folder / "bin").mkdir()
    program = folder / "bin" / "maskwatch"
    program.write_text(STUB)
    program.chmod(0o755)
    (folder / ".run-installed").touch()
    return folder


@pytest.mark.parametrize("how", ["make's command line", "the shell's environment"])
@pytest.mark.parametrize("typed", TYPED)
def test_a_setting_arrives_as_typed_and_nothing_in_it_is_run(
    environment: Path, tmp_path: Path, how: str, typed: str
) -> None:
    given = {"CAMERAS": typed, "MASKWATCH_REDIS_URL": typed, "MASKWATCH_STATE_DIR": typed}
    on_line = [f"{name}={value}" for name, value in given.items()] if how[0] == "m" else []
    done = subprocess.run(
        ["make", "--silent", "-f", ROOT / "Makefile", "run", f"VENV={environment}", *on_line],
        cwd=tmp_path_with_locks(tmp_path),
        env={**os.environ, **({} if on_line else given), "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    got = json.loads(done.stdout)
    assert {name: got[name] for name in given} == given
    assert not list(tmp_path.rglob("ran"))
    assert done.stderr == ""


def tmp_path_with_locks(folder: Path) -> Path:
    """A folder that has the files that the environment is made from, older than it is."""
    for name in ("requirements-build.lock", "requirements.lock", "pyproject.toml"):
        (folder / name).touch()
        os.utime(folder / name, (0, 0))
    return folder
