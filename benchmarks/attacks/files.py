"""Files: whose may be read through a camera, who can read ours, and which are deleted.

python -m benchmarks.attacks.files [--checkout OTHER]

An operator of one group tries to look at another person's upload and to learn which files there
are; another account of the machine looks at what the system wrote; a folder with somebody's own
files is set as that of recordings; and a probe's picture is looked for in what Redis wrote.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import requests
from rq import Queue, Worker

from benchmarks.attacks.report import Attack, attacked_checkout, print_attack
from benchmarks.on_disk import used_system
from benchmarks.system import System, running_system, wait_until
from bus.bus import Bus
from bus.keys import RECORDINGS_QUEUE
from contract.accounts.grants import EVERYWHERE, Role
from dashboard.accounts.service import make_accounts
from tests.servers.clips import make_clip

OPERATOR: Final[dict[str, Role]] = {"Terminal 2": "operator"}
EVERYTHING: Final[dict[str, Role]] = {EVERYWHERE: "administrator"}
SWEPT_WITHIN_S: Final = 75.0
"""Recordings' process looks for what is over once a minute."""
OTHERS: Final = 0o077


def attacks(checkout: Path) -> Iterator[Attack]:
    """Try each attack on files on the product of `checkout`."""
    with (
        tempfile.TemporaryDirectory(prefix="maskwatch-own-") as folder,
        tempfile.TemporaryDirectory(prefix="maskwatch-films-") as films,
    ):
        clip = make_clip(Path(films) / "film.mp4")
        own = [Path(folder) / name for name in ("our wedding.mp4", f"{'5' * 24}.mp4", "notes.txt")]
        for path in own:
            path.write_bytes(b"somebody's own")
        settings = {"MASKWATCH_RECORDINGS_DIR": folder, "MASKWATCH_WORKERS": "1"}
        with running_system(settings, checkout=checkout) as system:
            queue = Queue(RECORDINGS_QUEUE, connection=system.redis)
            wait_until(lambda: Worker.count(queue=queue), 60, "a process for recordings", system)
            began_s = time.monotonic()
            yield _somebodys_upload(system, clip)
            yield _which_files_there_are(system, clip)
            time.sleep(max(0.0, began_s + SWEPT_WITHIN_S - time.monotonic()))
            left = [path.name for path in own if path.exists()]
            yield Attack(
                11,
                "a folder with three files of somebody's own is set as that of recordings",
                len(left) == len(own),
                f"after {SWEPT_WITHIN_S:g} s {len(left)} of them are left",
            )
    with used_system(checkout) as used:
        readable = _readable_by_others(used.state_folder)
        pictures = {place: count for place, count in used.pictures().items() if count}
    yield Attack(
        6,
        "another account of the machine reads what the system wrote",
        not readable,
        f"open to others: {', '.join(sorted(readable)) or 'nothing'}",
    )
    yield Attack(
        7,
        "pictures are looked for in Redis' append-only file and in a snapshot",
        not pictures,
        f"found: {pictures or 'none'}",
    )


def _somebodys_upload(system: System, clip: Path) -> Attack:
    """Through the descriptor of a process that has another's file open: here this one."""
    shown = {}
    with clip.open("rb") as film:
        path = f"/proc/{os.getpid()}/fd/{film.fileno()}"
        for who, grants in (("operator of one group", OPERATOR), ("administrator", EVERYTHING)):
            _, found = _probe(system, grants, path)
            shown[who] = bool((found.get("result") or {}).get("snapshot_jpeg_base64"))
    return Attack(
        6,
        "/proc/PID/fd/N of a process that has somebody's upload open is probed as a camera",
        not any(shown.values()),
        f"a picture of it comes back: {shown}",
    )


def _which_files_there_are(system: System, clip: Path) -> Attack:
    paths = ("/etc/passwd", "/etc/no-such-file", str(clip), f"{clip}.gone", "/proc/1/environ")
    said = set()
    for path in paths:
        status, found = _probe(system, OPERATOR, path)
        result = found.get("result") or {}
        detail = str(result.get("detail") or found.get("detail", "")).replace(path, "PATH")
        said.add((status, result.get("error") or found.get("error", ""), detail))
    kinds = sorted(f"{status} {error}" for status, error, _ in said)
    return Attack(
        6,
        f"an operator of one group asks for {len(paths)} files, two of which are not there",
        len(said) == 1,
        f"{len(said)} different answers: {', '.join(kinds)}",
    )


def _probe(system: System, grants: dict[str, Role], source: str) -> tuple[int, dict[str, Any]]:
    """Probe a source with a key of these grants; return the first status and the last answer."""
    store = make_accounts(Bus(system.redis)).api_keys
    _, key = store.add(f"attack {len(store.all())}", grants, 1, "attack")
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{system.url}/api/v1/probes"
    started = requests.post(url, json={"source": source}, headers=headers, timeout=20)
    found: dict[str, Any] = started.json()
    if started.status_code != 202:
        return started.status_code, found
    probe = f"{url}/{found['id']}"

    def over() -> bool:
        nonlocal found
        found = requests.get(probe, headers=headers, timeout=20).json()
        return found["state"] in {"finished", "failed"}

    wait_until(over, 60, "the probe to be over", system)
    return started.status_code, found


def _readable_by_others(folder: Path) -> set[str]:
    """What others could open but for the folder itself, which this script made; kinds, not ids."""
    found = set()
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if path.name != "run.log" and not stat.S_ISLNK(mode) and mode & OTHERS:
            kind = path.suffix if path.parent.name == "recordings" else path.name
            found.add(f"{path.parent.name}/{kind} {stat.S_IMODE(mode):o}")
    return found


def main() -> None:
    for attack in attacks(attacked_checkout(__doc__ or "")):
        print_attack(attack)


if __name__ == "__main__":
    main()
