"""Whether any secret shows anywhere (result 7 of "The operator's dashboard").

python -m benchmarks.leak_scan

Runs the whole system and drives it with secrets that are known: camera passwords with odd symbols
(of cameras that are live, refused, probed and changed), passwords and tokens in the paths and
queries of addresses, a mail server's password, a webhook's token and signing secret, account
passwords, one-time links, session cookies, API keys, the secret key. Then looks for each of them,
as it is, percent-encoded, in base64, as JSON and as HTML write it, in: the log of all processes,
every page and API answer that can be had, the metrics, error messages, the process list, the audit
log, a backup (unpacked), and every name and value in Redis (RQ's compressed jobs unpacked) and in
its append-only file. A line a place; what a page shows once on purpose (a new key, a new link) is
not looked at.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import re
import secrets
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.secrecy.leak_drive import CANARY, Drive
from benchmarks.system import System, print_result, running_system, wait_until
from bus.bus import Bus
from bus.stores.alert_channels import channel_names
from dashboard.accounts.service import make_accounts
from dashboard.app import create_app
from maskwatch import backup as backups
from runtime.settings import load_settings
from runtime.vault import load_vault
from tests.builders import values_in
from tests.servers.clips import make_clip
from tests.servers.rtsp import rtsp_server

CANARY_PLACES: Final = (
    "a backup",
    "the audit log",
    "API answers",
    "events",
    "other answers",
    "Redis",
    "Redis' files",
    "metrics",
    "pages",
)


def read_all(drive: Drive) -> None:
    """Look at every place where a secret could be."""
    drive.places.add("the log", drive.system.log.read_bytes())
    for path in _addresses(drive.system):
        drive.saw(drive.http.get(drive.system.url + path, timeout=10))
    _listen(drive)
    for process in psutil.Process(drive.system.process.pid).children(recursive=True):
        drive.places.add("the process list", " ".join(process.cmdline()))
    audit = drive.http.get(f"{drive.system.url}/api/v1/audit?limit=500", timeout=10)
    drive.places.add("the audit log", audit.content)
    backup = drive.system.log.parent / "station.backup"
    backups.write(backups.take(Bus(drive.system.redis).backups, "a scan"), backup)
    drive.places.add("a backup", gzip.decompress(backup.read_bytes()))
    for value in values_in(drive.system.redis):
        drive.places.add("Redis", value)
        for unpacked in _unpacked(value):
            drive.places.add("Redis, unpacked", unpacked)
    for file in (drive.system.log.parent / "redis").rglob("*"):
        if file.is_file():
            drive.places.add("Redis' files", file.read_bytes())


def _listen(drive: Drive) -> None:
    """The events of every camera's state."""
    url, events = f"{drive.system.url}/api/v1/events", 0
    with drive.http.get(url, stream=True, timeout=30) as answer:
        for line in answer.iter_lines():
            drive.places.add("events", line)
            events += line.startswith(b"event: state")
            if events == len(drive.system.cameras()):
                return


def _addresses(system: System) -> Iterator[str]:
    """Every GET route there is, for every camera and account."""
    vault = load_vault(system.log.parent / "secret.key")
    routes = create_app(load_settings({}), Bus(system.redis, vault), vault).url_map.iter_rules()
    cameras = [camera.id for camera in system.cameras()]
    users = [user.id for user in make_accounts(Bus(system.redis)).users.all()]
    channels = list(channel_names(system.redis))
    for route in routes:
        if "GET" not in (route.methods or ()) or "stream" in route.rule:
            continue
        if route.rule == "/api/v1/events":  # endless, too: `_listen`
            continue
        ids = cameras if "camera_id" in route.arguments else users
        ids = channels if "channel_id" in route.arguments else ids
        for one in ids if route.arguments else [""]:
            yield re.sub(r"<(?:\w+:)?\w+>", one, route.rule)


def _unpacked(value: bytes) -> Iterator[bytes]:
    """What is in a value that RQ or somebody else compressed or wrote in base64."""
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(value)
    with contextlib.suppress(ValueError):
        decoded = base64.b64decode(value, validate=True)
        yield decoded
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(decoded)


def scan(report: Callable[[str], Any] = print) -> tuple[list[str], Drive]:
    """Drive a system and return what leaked."""
    user, password = "adm in", f"p@ss:w/{secrets.token_hex(3)}rd?#1%"
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "clip.mp4")
        with (
            rtsp_server({"hall": clip}, user, password) as rtsp_url,
            running_system({"MASKWATCH_LOG_LEVEL": "DEBUG"}) as system,
        ):
            wait_until(lambda: "/welcome/" in system.log.read_text(), 30, "the link", system)
            drive = Drive(system, rtsp_url, user, password)
            drive.run()
            time.sleep(2)
            read_all(drive)
    for place, texts in sorted(drive.places.seen.items()):
        report(f"  {sum(map(len, texts)):9} bytes  {len(texts):5} texts  {place}")
    return drive.places.leaks(drive.known), drive


def main() -> None:
    leaks, drive = scan()
    used_link = "a used link's token in the log"  # printed there on purpose, and worth nothing now
    leaks = [leak for leak in leaks if leak != used_link]
    found = drive.places.leaks({"canary": CANARY})
    blind = [place for place in CANARY_PLACES if f"canary in {place}" not in found]
    print(f"{len(drive.known)} secrets, {drive.places.size() / 1e6:.1f} MB looked at")
    for leak in leaks:
        print("  !", leak)
    print_result("D7 places not looked at", blind, "", "[]", not blind)
    print_result("D7 secrets in clear", len(leaks), "", "0", not leaks)
    if leaks or blind:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
