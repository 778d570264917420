"""`maskwatch run` with a state folder that cannot be used, and a terminal that is closed."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import psutil
import pytest

from benchmarks.system import free_port
from bus.connection.client import connect
from bus.server.embedded import EmbeddedRedis
from runtime.vault import create_key_file, load_vault
from tests.integration.test_dashboard_hub import eventually

ROOT = Path(__file__).resolve().parents[2]
RUN = (sys.executable, "-m", "maskwatch", "run")
WITHOUT_PRIVILEGES = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
"""Root, but bound to the permissions of files as everybody else is."""


def settings(state: Path, **more: str) -> dict[str, str]:
    """An environment in which the system is small and starts without cameras' pictures."""
    given = {
        "MASKWATCH_STATE_DIR": str(state),
        "MASKWATCH_PORT": str(free_port()),
        "MASKWATCH_WORKERS": "0",
        "MASKWATCH_INGESTS": "0",
        "CAMERAS": "",
    }
    return {**os.environ, **given, **more}


def refused(state: Path, *command: str) -> str:
    """What a command that must fail says with this state folder."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=settings(state),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def refusal(state: Path, *before: str) -> str:
    """What `maskwatch run` says about a state folder, which it must not start with."""
    said = refused(state, *before, *RUN)
    assert str(state) in said
    return said


def mounted(folder: Path, options: str, then: str = "true") -> tuple[str, ...]:
    """A command in front of another, for which a small file system is mounted on `folder`."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare, to mount a small file system")
    folder.mkdir()
    mount = f'mount -t tmpfs none "{folder}" && {{ {then}; }} && mount -o remount,{options} '
    script = f'{mount} "{folder}" && exec "$@"'
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", "true"], capture_output=True, check=False
    )
    if tried.returncode:
        pytest.skip("this machine does not let us mount a file system")
    return ("unshare", "--mount", "sh", "-c", script, "sh")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert "a file where a folder was expected" in refusal(tmp_path / "state")
    assert "a file where a folder was expected" in refusal(tmp_path / "state" / "below")


def test_a_name_that_the_system_does_not_take_is_named(tmp_path: Path) -> None:
    assert "too long for this file system" in refusal(tmp_path / ("x" * 300))


@pytest.mark.parametrize("made", ["by another user", "without write access", "above"])
def test_a_folder_of_somebody_else_says_whose_it_is_and_what_to_do(
    tmp_path: Path, made: str
) -> None:
    state = tmp_path / "state"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, as root may write anywhere")
    state.mkdir(mode=0o500)
    if made == "by another user" and os.geteuid() == 0:
        os.chown(state, 4321, 4321)
    before = WITHOUT_PRIVILEGES if os.geteuid() == 0 else ()
    words = refusal(state / "below" if made == "above" else state, *before)
    assert "cannot be written or read by the user" in words
    assert "chown" in words
    assert "MASKWATCH_STATE_DIR" in words
    if made == "by another user" and os.geteuid() == 0:
        assert "belongs to the user with the number 4321" in words


def test_a_part_of_the_state_that_belongs_to_somebody_else_is_named(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to give a folder away")
    (tmp_path / "redis").mkdir(mode=0o700)
    os.chown(tmp_path / "redis", 4321, 4321)
    words = refusal(tmp_path, *WITHOUT_PRIVILEGES)
    assert "redis" in words
    assert "belongs to the user with the number 4321" in words


def test_a_read_only_file_system_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert "read-only file system" in refusal(state, *mounted(state, "ro"))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("state", "run"),
        ("secret.key", "secret-key create"),
        ("redis", "redis-acl {folder}/redis"),
    ],
)
def test_a_full_disk_is_named_and_leaves_no_half_written_file(
    tmp_path: Path, name: str, arguments: str
) -> None:
    folder, kept = tmp_path / "full", tmp_path / "kept"
    kept.mkdir()
    before = mounted(folder, "size=16k", f'head -c 16384 /dev/zero > "{folder}/filling"')
    script = f'"$@"; status=$?; find "{folder}" -type f > "{kept}/files"; exit $status'
    command = [sys.executable, "-m", "maskwatch", *arguments.format(folder=folder).split()]
    assert "full" in refused(folder, *before, "sh", "-c", script, "sh", *command)
    assert (kept / "files").read_text().split() == [f"{folder}/filling"], name


def test_an_empty_key_file_of_an_earlier_version_does_not_block_the_start(tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    key.touch()
    assert create_key_file(key)
    sealed = load_vault(key).seal("x")
    assert not create_key_file(key)
    assert load_vault(key).open(sealed) == "x"
    assert key.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [key]


def start_in(terminal: int, state: Path, log: Path, *before: str) -> subprocess.Popen[bytes]:
    """Run the system as the foreground of a terminal, and wait until it serves."""

    def control() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup themselves

    with log.open("wb") as file:
        process = subprocess.Popen(
            [*before, *RUN],
            cwd=ROOT,
            env=settings(state),
            stdin=terminal,
            stdout=file,
            stderr=file,
            start_new_session=True,
            preexec_fn=control,
        )
    assert eventually(lambda: b"Maskwatch is watching" in log.read_bytes(), 60), log.read_text(
        encoding="utf-8"
    )
    return process


@pytest.mark.parametrize("nohup", [False, True], ids=["closed", "closed after nohup"])
def test_a_closed_terminal_ends_everything_in_order_unless_nohup_was_asked_for(
    tmp_path: Path, nohup: bool
) -> None:
    ours, theirs = pty.openpty()
    log, state = tmp_path / "run.log", tmp_path / "state"
    process = start_in(theirs, state, log, *(["nohup"] if nohup else []))
    os.close(theirs)
    family = psutil.Process(process.pid).children(recursive=True)
    try:
        os.close(ours)
        if nohup:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
            assert connect(EmbeddedRedis(state / "redis").url).ping()
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        _, left = psutil.wait_procs(family, timeout=20)
        assert [one for one in left if one.status() != psutil.STATUS_ZOMBIE] == []
        assert "restarting it" not in log.read_text(encoding="utf-8")
        assert (
            "Redis at" not in log.read_text(encoding="utf-8").partition("Maskwatch is watching")[2]
        )
    finally:
        process.kill()
