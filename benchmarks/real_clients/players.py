"""Players on a camera's MJPEG stream, with an API key as the password."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchmarks.real_clients import ClientError, MissingError

FRAMES: Final = 15
PATIENCE_S: Final = 60
NOBODY: Final = 65534
KEPT: Final = 3


def find(program: str, package: str = "") -> str:
    """Return a program's path; raise `MissingError` where there is none."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        raise MissingError(f"needs {program}: apt-get install {package or program}")
    return path


def run(command: Sequence[str], timeout_s: float = PATIENCE_S) -> str:
    """Run a client to its end and return its output; raise `ClientError` if it fails."""
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ClientError(f"{name} did not end in {timeout_s:g} s") from None
    if done.returncode:
        raise ClientError(f"{name} ended with {done.returncode}: {done.stderr[-300:]}")
    return done.stdout


def ffmpeg(url: str) -> str:
    """Decode pictures as FFmpeg does it."""
    progress = run(
        [
            *(find("ffmpeg"), "-v", "error", "-i", url, "-frames:v", str(FRAMES)),
            *("-f", "null", "-progress", "pipe:1", "-"),
        ]
    )
    frames = [line.partition("=")[2] for line in progress.splitlines() if "frame=" in line]
    if not frames or int(frames[-1]) != FRAMES:
        raise ClientError(f"FFmpeg decoded {frames[-1:]} pictures, expected {FRAMES}")
    return f"decoded {FRAMES} pictures"


def mpv(url: str) -> str:
    """Play as mpv does, without a window."""
    shown = run([find("mpv"), "--no-config", "--vo=null", "--no-audio", f"--frames={FRAMES}", url])
    size = re.search(r"VO: \[null\] (\d+x\d+)", shown)
    if size is None:
        raise ClientError(f"mpv showed no picture: {shown[-300:]}")
    return f"played {FRAMES} pictures of {size[1]}"


def vlc(url: str) -> str:
    """Play as VLC does, until it has kept some of the pictures that it played."""
    with tempfile.TemporaryDirectory(prefix="vlc-") as folder:
        command = [
            *(find("cvlc", "vlc"), "--intf=dummy", "--no-audio", "--vout=vdummy", "--quiet"),
            *("--video-filter=scene", "--scene-format=png", "--scene-ratio=5"),
            *(f"--scene-path={folder}", "--scene-prefix=picture", "--no-video-title-show", url),
        ]
        if os.geteuid() == 0:  # which VLC refuses
            os.chown(folder, NOBODY, NOBODY)
            user = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
            home = ("env", f"HOME={folder}", f"XDG_RUNTIME_DIR={folder}")
            command = [find("setpriv", "util-linux"), *user, *home, *command]
        deadline_s = time.monotonic() + PATIENCE_S
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as player:
            try:
                while len(list(Path(folder).glob("picture*"))) < KEPT:
                    if player.poll() is not None or time.monotonic() > deadline_s:
                        raise ClientError(f"VLC showed fewer than {KEPT} pictures")
                    time.sleep(0.2)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(player.pid, signal.SIGKILL)
    return f"kept {KEPT} of the pictures that it played"


PLAYERS: Final[Mapping[str, Callable[[str], str]]] = {"ffmpeg": ffmpeg, "mpv": mpv, "vlc": vlc}
