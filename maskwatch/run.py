"""`maskwatch run`: the whole system on one machine, from nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from bus.bus import Bus
from bus.errors import StoreError
from bus.server.embedded import EmbeddedRedis
from bus.stores.alert_channels import ChannelStore
from bus.stores.cameras import CameraRegistry, CameraRoster
from bus.stores.snapshots import SnapshotStore
from contract.cameras.camera import Camera, is_network_address, make_camera
from contract.errors import (
    CameraConfigError,
    MaskwatchError,
    RedisUnavailableError,
    SettingsError,
)
from maskwatch.processes import CONFIGURATION_ERROR, StageProcess
from runtime.own_files import require_writable
from runtime.settings import Settings
from runtime.stopping import handle_ends
from runtime.vault import Vault, create_key_file, load_vault

STAGES_END_WITHIN_S: Final = 3.0
POLL_S: Final = 0.2
BESIDE: Final = ("images", "recordings", "alerts")
"""Stages that start after the first picture, like all workers but the first: loading them earlier
would delay that picture on a machine with few cores."""
BESIDE_AFTER_S: Final = 10.0
"""Seconds after which the stages in `BESIDE` start even if no picture has arrived."""

BLANKS: Final = "blanks separate the pairs, so write one in an address as %20"

MOST_WORKERS_UNASKED: Final = 4
"""Most workers that start by default. Each needs 330 MB; further cores are for decoding."""

DEMO_CAMERAS: Final = {
    "Demo concourse": "demo:seed=1",
    "Demo platform 4": "demo:seed=2",
    "Demo ticket hall": "demo:seed=3",
    "Demo gate B12": "demo:seed=4",
}

_log = logging.getLogger(__name__)


def parse_cameras(argument: str) -> dict[str, str]:
    """Read `name=URL name2=URL2` into names and sources.

    >>> parse_cameras("gate=rtsp://10.0.0.9/live hall=0")
    {'gate': 'rtsp://10.0.0.9/live', 'hall': '0'}

    Raises:
        SettingsError: a pair lacks its name or source, repeats a name, or cannot be a camera's.
            Says which pair, but not what is in it: after a blank in a password, that is a part of
            the password.
    """
    cameras: dict[str, str] = {}
    for number, part in enumerate(argument.split(), 1):
        name, separator, source = part.partition("=")
        where = f"CAMERAS, pair {number}"
        if not (name and separator and source) or "/" in name:
            raise SettingsError(f"{where}: expected name=URL; {BLANKS}")
        if name in cameras:
            raise SettingsError(f"{where}: an earlier pair has the same name")
        try:
            make_camera(name=name, source=source)
        except CameraConfigError as error:
            raise SettingsError(f"{where}: {error}; {BLANKS}") from error
        cameras[name] = source
    return cameras


def register_cameras(
    registry: CameraRegistry, channels: ChannelStore, wanted: dict[str, str]
) -> int:
    """Add the cameras in `wanted` to the registry; add demo cameras if it would stay empty.

    Registered cameras stay, but naming a real camera removes the demo cameras. Encrypts passwords
    that an earlier version left in clear. Returns the number of registered cameras.
    """
    registry.seal_all()
    channels.seal_all()
    # Two groups may use the same name; prefer the camera without a group.
    everyone = sorted(registry.all(), key=lambda camera: not camera.group)
    by_name = {camera.name: camera for camera in everyone}
    if not wanted and not by_name:
        wanted = DEMO_CAMERAS
    elif wanted:
        for name in DEMO_CAMERAS.keys() & by_name.keys() - wanted.keys():
            registry.remove(by_name[name].id)
    for name, source in wanted.items():
        known = by_name.get(name)
        if known is None:
            registry.add(make_camera(name=name, source=source))
        elif known.source != source:
            registry.update(known.id, source=source)
    return len(registry.all())


def run_everything(settings: Settings, cameras: dict[str, str]) -> None:
    """Run Redis (unless one is configured) and every stage until SIGTERM, SIGINT or SIGHUP.

    Raises:
        MaskwatchError: a requirement is missing, or a stage's configuration is faulty.
    """
    stop = threading.Event()
    handle_ends(lambda *_: stop.set())
    require_free_port(settings)
    require_writable(settings.state_dir, "MASKWATCH_STATE_DIR")
    vault = ensure_secret_key(settings)
    ensure_detector(settings)
    with _redis(settings) as (url, server):
        bus = Bus.at(url, "maskwatch-run", vault)
        if not _prepare(bus, cameras, stop, ours=server is not None):
            return
        # The stages read the Redis user and password from their own settings.
        stages = _stages(settings, settings.redis_url or url)
        try:
            for stage in stages:
                if not starts_beside(stage.name):
                    stage.start()
            _supervise(settings, bus, stages, server, stop)
        finally:
            _end(stages)


def require_free_port(settings: Settings) -> None:
    """Raise `SettingsError` if the dashboard cannot listen on its host and port."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"the dashboard cannot listen on {settings.host}:{settings.port} "
                f"({error.strerror}); change MASKWATCH_PORT or MASKWATCH_HOST"
            ) from error


def ensure_secret_key(settings: Settings) -> Vault:
    """Create the key file at the first run; raise `SecretKeyError` if the file is unusable."""
    if settings.secret_key_file is None:
        create_key_file(settings.where_the_secret_key_is)
    return load_vault(settings.where_the_secret_key_is)


def ensure_detector(settings: Settings) -> None:
    """Download YuNet once if it is the chosen detector; the default detector ships."""
    from contract.errors import ModelNotFoundError
    from models.downloads import pull
    from models.files import find_model

    if settings.detector != "yunet":
        return
    try:
        find_model("yunet", settings.where_models_are)
    except ModelNotFoundError:
        target = settings.where_models_are
        _say(f"downloading the YuNet face detector to {target} (once, 230 kB) ...")
        pull("yunet", target, base_url=settings.models_url)


def _prepare(bus: Bus, cameras: dict[str, str], stop: threading.Event, ours: bool) -> bool:
    """Register the cameras once Redis is usable; return False if told to stop before.

    ours: we started this Redis.
    """
    outage = bus.outage(stop)
    unsealed = ours and bus.server.held_pictures_in_clear()
    while bus.wait_for_server(stop):
        try:
            in_clear = secrets_in_clear(bus.roster.cameras())
            count = register_cameras(bus.cameras, bus.alert_channels, cameras)
            if in_clear:
                _forget_clear_text(bus, ours)
            elif unsealed:
                # An earlier version's file contains pictures of camera tests.
                bus.server.rewrite_file()
        except StoreError as error:
            outage.report(error)
            continue
        _log.info("Redis %s at %s, %d cameras", bus.server.check(), bus.server.name, count)
        return True
    return False


def secrets_in_clear(cameras: Iterable[Camera]) -> bool:
    """Whether an earlier version left a network address unencrypted, in whole or in part.

    cameras: as stored, read without a key.
    """
    return any(
        is_network_address(camera.source)
        and (camera.sealed_source is None or camera.redacted_source != camera.source)
        for camera in cameras
    )


def _forget_clear_text(bus: Bus, ours: bool) -> None:
    """Have Redis rewrite its append-only file, because the old one still has the clear text."""
    if ours:
        bus.server.rewrite_file()
        _log.info("encrypted camera addresses that an earlier version had left in clear")
        return
    _log.warning(
        "encrypted camera addresses that an earlier version had left in clear; the files of the "
        "Redis at %s still contain them: run BGREWRITEAOF, and delete old backups",
        bus.server.name,
    )


@contextmanager
def _redis(settings: Settings) -> Iterator[tuple[str, EmbeddedRedis | None]]:
    if settings.redis_url is not None:
        yield settings.require_redis_url(), None
        return
    server = EmbeddedRedis(settings.state_dir / "redis")
    server.start()
    try:
        yield server.url, server
    finally:
        server.stop()


def _stages(settings: Settings, redis_url: str) -> list[StageProcess]:
    def stage(name: str, *module: str) -> StageProcess:
        return StageProcess(name, [sys.executable, "-m", *module], environment)

    environment = {
        "PYTHONUTF8": "1",  # names of files and cameras, whatever this terminal's locale
        "MASKWATCH_REDIS_URL": redis_url,
        "MASKWATCH_STATE_DIR": str(settings.state_dir.resolve()),
        "MASKWATCH_MODELS_DIR": str(settings.where_models_are.resolve()),
        "MASKWATCH_SECRET_KEY_FILE": str(settings.where_the_secret_key_is.resolve()),
    }
    return [
        stage("dashboard", "dashboard"),
        *(stage(f"ingest {n + 1}", "ingest") for n in range(settings.ingests)),
        *(stage(f"worker {n + 1}", "worker") for n in range(workers_of(settings))),
        stage("jobs", "maskwatch", "jobs"),
        stage("images", "maskwatch", "images"),
        stage("recordings", "maskwatch", "recordings"),
        stage("alerts", "maskwatch", "alerts"),
    ]


def workers_of(settings: Settings) -> int:
    """Return the number of workers to run: as configured, or else about one per core."""
    if settings.workers is not None:
        return settings.workers
    if settings.device == "cuda":
        return 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(usable or 1, MOST_WORKERS_UNASKED)


def starts_beside(stage: str) -> bool:
    """Whether the stage of this name starts after the first picture."""
    kind, _, number = stage.partition(" ")
    return kind in BESIDE or (kind == "worker" and number != "1")


def _supervise(
    settings: Settings,
    bus: Bus,
    stages: list[StageProcess],
    server: EmbeddedRedis | None,
    stop: threading.Event,
) -> None:
    announced = all_due = False
    began_s = time.time()
    while not stop.wait(POLL_S):
        all_due = all_due or all_due_since(bus.roster, bus.snapshots, began_s)
        for stage in stages:
            if starts_beside(stage.name) and not all_due:
                continue
            if stage.keep_running() == CONFIGURATION_ERROR:
                raise MaskwatchError(
                    f"{stage.name} has a faulty configuration; see the message above"
                )
        if server is not None:
            _look_after(server)
        if not announced and _worker_lives(bus, settings):
            announced = True
            _announce(bus, settings)


def _announce(bus: Bus, settings: Settings) -> None:
    """Print the wall's address, and the link to the first administrator's password if needed."""
    from dashboard.accounts.service import make_accounts

    url = dashboard_url(settings)
    _say(f"Maskwatch is watching: {url}   (Ctrl-C stops it)")
    try:
        link = make_accounts(bus).first_link()
    except StoreError as error:
        _log.warning("cannot create a link for the administrator: %s", error)
        return
    if link:
        _say(f"Choose the administrator's password here (once, within a day):\n\n    {url}{link}\n")


def dashboard_url(settings: Settings) -> str:
    """Return the dashboard's address: its name behind a proxy, or else its port on this machine."""
    name = settings.trusted_hosts.split(",")[0].strip()
    if settings.behind_proxy and name:
        return f"https://{name}{settings.path_prefix}"
    host, _, port = settings.published_address.rpartition(":")
    host, port = host.strip("[]") or settings.host, port or str(settings.port)
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}{settings.path_prefix}"


def _look_after(server: EmbeddedRedis) -> None:
    if server.alive():
        with contextlib.suppress(StoreError):
            server.compact()
        return
    _log.warning("redis-server ended; restarting it with its data")
    try:
        server.start()
    except RedisUnavailableError as error:
        _log.error("%s", error)


def _worker_lives(bus: Bus, settings: Settings) -> bool:
    if not workers_of(settings):
        return True
    try:
        return bool(bus.members("worker", settings.lease_s).live())
    except StoreError:
        return False


def all_due_since(roster: CameraRoster, snapshots: SnapshotStore, began_s: float) -> bool:
    """Whether a frame was analysed since `began_s`, or `BESIDE_AFTER_S` has passed."""
    if not 0 <= time.time() - began_s < BESIDE_AFTER_S:
        return True
    try:
        found = snapshots.read(roster.cameras())
    except StoreError:
        return False
    return any(one.latest is not None and one.latest.captured_at_s > began_s for one in found)


def _end(stages: list[StageProcess]) -> None:
    for stage in stages:
        stage.terminate()
    deadline_s = time.monotonic() + STAGES_END_WITHIN_S
    for stage in stages:
        stage.finish(deadline_s)


def _say(words: str) -> None:
    with contextlib.suppress(OSError):  # the terminal was closed
        print(words, flush=True)
