"""Serves the dashboard: gunicorn with one gevent worker.

Each viewer is a connection that stays open and mostly waits, so greenlets carry hundreds of
them in one process, and one process means one hub (docs/adr/0006).
"""

from __future__ import annotations

import logging
import resource
import signal
import warnings
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from bus.bus import Bus
from dashboard.accounts.passwords import GeventPool, Passwords
from dashboard.app import create_app
from dashboard.serving.worker import WebWorker
from dashboard.web.connections import MOST
from runtime.memory import give_back_freed_memory
from runtime.settings import Settings
from runtime.tracing import check_tracing
from runtime.vault import Vault, load_vault

# Streams never end by themselves; whoever stops the dashboard should not wait for them.
GRACEFUL_TIMEOUT_S: Final = 1
SEEN_FILE: Final = "redis-seen.json"
"""File in the state folder, if any, with the amount of data in Redis, for the next start."""
LONGEST_REQUEST_LINE: Final = 8190
MOST_FIELDS: Final = 60
HEAD_S: Final = 5
"""Seconds for a request's head to arrive, and for which a connection may be idle."""
OTHER_FILES: Final = 500
"""Open files reserved beside clients' connections: Redis, streams, uploads."""
_log = logging.getLogger(__name__)


class _PlainLogger(Logger):  # type: ignore[misc]
    """Logs through the root logger, which redacts. An access log would not redact."""

    def setup(self, cfg: Any) -> None:
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.disabled = True
        # Its start and stop lines are ours to say.
        self.error_log.setLevel("WARNING")

    def reopen_files(self) -> None:
        """There are none."""


class _Arbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's parent process; it ends instead of reloading when its terminal closes."""

    _goes_on = False

    def init_signals(self) -> None:
        self._goes_on = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as under nohup
        super().init_signals()

    def handle_hup(self) -> None:
        if not self._goes_on:
            self.handle_term()


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its command line and configuration files."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.settings = settings
        self.most_connections = _most_connections()
        self._vault = vault
        super().__init__()

    def load_config(self) -> None:
        host = self.settings.host
        address = f"[{host}]" if ":" in host else host
        options: dict[str, object] = {
            "bind": f"{address}:{self.settings.port}",
            "worker_class": WebWorker,
            "workers": 1,
            "graceful_timeout": GRACEFUL_TIMEOUT_S,
            "keepalive": HEAD_S,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "limit_request_fields": MOST_FIELDS,
            # By default gunicorn believes this machine about scheme, path and script name.
            "forwarded_allow_ips": "",
            "logger_class": _PlainLogger,
            "accesslog": None,
            "control_socket_disable": True,
            "proc_name": "maskwatch-dashboard",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def run(self) -> None:
        _Arbiter(self).run()

    def load(self) -> Flask:
        # Runs in the worker, after gevent has replaced sockets, locks and threads.
        bus = Bus.open(self.settings, "maskwatch-dashboard", self._vault)
        losses = bus.losses(self.settings.state_dir / SEEN_FILE)
        return create_app(self.settings, bus, self._vault, Passwords(run=GeventPool()), losses)


def _most_connections() -> int:
    """Raise the limit of open files as needed, and return the connections it allows."""
    wanted = MOST + OTHER_FILES
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < wanted:
        allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    return max(100, min(MOST, allowed - OTHER_FILES))


def run(settings: Settings) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP; then end within about a second.

    Raises:
        SettingsError: no Redis is set (the dashboard starts none), or what traces are written
            with is not installed.
        SecretKeyError: the file with the key is missing or no such file.
    """
    settings.require_redis_url()
    check_tracing(settings)
    vault = load_vault(settings.where_the_secret_key_is)
    # gunicorn has gevent replace sockets and TLS in its worker, after our imports. What it
    # warns of is redis-py's asyncio client, which is not used.
    warnings.filterwarnings("ignore", message="Monkey-patching ssl")
    give_back_freed_memory()
    _log.info("serving on http://%s:%d", settings.host, settings.port)
    _Server(settings, vault).run()
