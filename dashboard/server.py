"""Serves the dashboard: gunicorn with one gevent worker.

Each viewer is a connection that stays open and mostly waits, so greenlets carry hundreds of
them in one process, and one process means one hub (docs/adr/0006).
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from contract.memory import give_back_freed_memory
from contract.redis_client import connect
from contract.settings import Settings
from contract.tracing import check_tracing
from contract.vault import Vault, load_vault
from dashboard.accounts.passwords import GeventPool, Passwords
from dashboard.app import create_app

# Streams never end by themselves; whoever stops the dashboard should not wait for them.
GRACEFUL_TIMEOUT_S: Final = 1
LONGEST_REQUEST_LINE: Final = 8190
_log = logging.getLogger(__name__)


class _PlainLogger(Logger):  # type: ignore[misc]
    """Leaves writing to the root logger, which redacts; no access log, which would not."""

    def setup(self, cfg: Any) -> None:
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.disabled = True
        # Its start and stop lines are ours to say.
        self.error_log.setLevel("WARNING")

    def reopen_files(self) -> None:
        """There are none."""


class _Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its command line and configuration files."""

    def __init__(self, settings: Settings, redis_url: str, vault: Vault) -> None:
        self._settings = settings
        self._redis_url = redis_url
        self._vault = vault
        super().__init__()

    def load_config(self) -> None:
        host = self._settings.host
        address = f"[{host}]" if ":" in host else host
        options: dict[str, object] = {
            "bind": f"{address}:{self._settings.port}",
            "worker_class": "gevent",
            "workers": 1,
            "worker_connections": 1000,
            "graceful_timeout": GRACEFUL_TIMEOUT_S,
            "keepalive": 5,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "logger_class": _PlainLogger,
            "accesslog": None,
            "control_socket_disable": True,
            "proc_name": "maskwatch-dashboard",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        # Runs in the worker, after gevent has replaced sockets, locks and threads.
        redis = connect(self._redis_url, "maskwatch-dashboard")
        return create_app(self._settings, redis, self._vault, Passwords(run=GeventPool()))


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then end within about a second.

    Raises:
        SettingsError: no Redis is set (the dashboard starts none), or what traces are written
            with is not installed.
        SecretKeyError: the file with the key is missing or no such file.
    """
    redis_url = settings.require_redis_url()
    check_tracing(settings)
    vault = load_vault(settings.where_the_secret_key_is)
    # gunicorn has gevent replace sockets and TLS in its worker, after our imports. What it
    # warns of is redis-py's asyncio client, which is not used.
    warnings.filterwarnings("ignore", message="Monkey-patching ssl")
    give_back_freed_memory()
    _log.info("serving on http://%s:%d", settings.host, settings.port)
    _Server(settings, redis_url, vault).run()
