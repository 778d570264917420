"""Checks that this container's own process works: exit status 0 if it does, else 1 and the reason.

    python deploy/healthcheck.py worker
    python deploy/healthcheck.py worker --alive

A stage without a web server sends heartbeats to Redis as a member of its role, under a name that
contains its host's name. The dashboard answers on its port. With `--alive`, an unreachable Redis is
no failure, because restarting this process would not help.
"""

from __future__ import annotations

import argparse
import socket
import sys
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Final

from bus.members.heartbeats import living_members
from bus.members.members import host_of
from contract.errors import MaskwatchError, RedisUnavailableError
from runtime.settings import Settings, load_settings

ROLES: Final = ("ingest", "worker", "jobs", "images", "recordings", "alerts", "dashboard")
WEB_TIMEOUT_S: Final = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Check the role named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("role", choices=ROLES)
    parser.add_argument("--alive", action="store_true", help="well also while Redis is away")
    asked = parser.parse_args(arguments)
    role = asked.role
    try:
        settings = load_settings()
        problem = _web_problem(settings) if role == "dashboard" else _beat_problem(settings, role)
    except RedisUnavailableError as error:
        problem = "" if asked.alive else str(error)
    except MaskwatchError as error:
        problem = str(error)
    if problem:
        sys.stderr.write(f"{role}: {problem}\n")
    return 1 if problem else 0


def _beat_problem(settings: Settings, role: str) -> str:
    """Raise `RedisUnavailableError` if Redis cannot answer."""
    members = living_members(settings, role, "maskwatch-healthcheck")
    host = socket.gethostname()
    if host in map(host_of, members):
        return ""
    return f"no heartbeat from {host} in the last {settings.lease_s:g} s; alive: {sorted(members)}"


def _web_problem(settings: Settings) -> str:
    url = f"http://127.0.0.1:{settings.port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=WEB_TIMEOUT_S):
            return ""
    except urllib.error.HTTPError as error:
        # The dashboard answers that Redis or every worker is away. That is not this container's
        # fault, and replacing the container would not help.
        return "" if error.code == HTTPStatus.SERVICE_UNAVAILABLE else f"{url}: {error}"
    except (urllib.error.URLError, TimeoutError) as error:
        return f"{url}: {error}"


if __name__ == "__main__":
    sys.exit(main())
