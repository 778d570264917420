"""`python -m benchmarks.real_clients`: a line for each client that people really use.

Runs the whole system with a demo camera, and nginx and HAProxy in front of it under a path, set up
as docs/how-to/reverse-proxy.md says. Players have the stream itself; curl, Prometheus and the
browsers go through the proxies. A client that this machine lacks is named.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from benchmarks.real_clients import ClientError, MissingError
from benchmarks.real_clients.marionette import firefox
from benchmarks.real_clients.pages import walk
from benchmarks.real_clients.players import PLAYERS
from benchmarks.real_clients.programs import curl, prometheus, scrape
from benchmarks.system import System, running_system, wait_until
from tests.accounts import PASSWORD, make_user
from tests.e2e.browser import open_browser
from tests.servers.reverse_proxies import ReverseProxy, reverse_proxy

ENVIRONMENT: Final = {"MASKWATCH_PROXY_ADDRESSES": "127.0.0.1", "CAMERAS": "gate=demo:seed=5"}
Client = tuple[str, Callable[[], str]]


def main() -> None:
    """Try every client; exit with 1 if one failed."""
    failed = 0
    with running_system(ENVIRONMENT) as system, tempfile.TemporaryDirectory() as folder:
        wait_until(lambda: all(map(system.latest, system.cameras())), 60, "a picture", system)
        for name, client in clients(system, Path(folder)):
            try:
                words = f"ok: {client()}"
            except (MissingError, pytest.skip.Exception) as reason:
                words = f"not tried: {reason}"
            except (ClientError, OSError) as error:
                words, failed = f"FAILED: {error}", failed + 1
            print(f"{name:<32} {words}", flush=True)
    sys.exit(1 if failed else 0)


def clients(system: System, folder: Path) -> Iterator[Client]:
    """Yield every client by name, and what it does."""
    camera_id = system.cameras()[0].id
    stream = f"http://key:{system.key}@{system.url.removeprefix('http://')}"
    for name, play in PLAYERS.items():
        yield name, partial(play, f"{stream}/cameras/{camera_id}/stream.mjpg")
    make_user(system.redis)
    for program in ("nginx", "haproxy"):
        place = folder / program
        place.mkdir()
        yield from through(program, system, place)


def through(program: str, system: System, folder: Path) -> Iterator[Client]:
    """Yield every client that goes through a proxy, which runs meanwhile."""
    camera_id, port = system.cameras()[0].id, int(system.url.rpartition(":")[2])
    with ExitStack() as stack:
        try:
            proxy = stack.enter_context(reverse_proxy(program, True, port, folder))
        except pytest.skip.Exception as reason:
            yield program, partial(_missing, str(reason))
            return
        yield f"curl through {program}", partial(curl, proxy, system.key, camera_id)
        yield f"a scrape through {program}", partial(scrape, proxy, system.key)
        yield f"Prometheus through {program}", partial(prometheus, proxy, system.key, folder)
        yield f"Firefox through {program}", partial(in_firefox, proxy, camera_id, folder)
        yield f"Chromium through {program}", partial(in_chromium, proxy, camera_id, folder)


def in_firefox(proxy: ReverseProxy, camera_id: str, folder: Path) -> str:
    """Walk through all pages with Firefox."""
    with firefox(folder / "firefox") as browser:
        return walk(browser, proxy.url, camera_id, "Ada", PASSWORD)


def in_chromium(proxy: ReverseProxy, camera_id: str, folder: Path) -> str:
    """Walk through all pages with Chromium, and hear what its console holds against them."""
    with open_browser(folder / "chromium", "--ignore-certificate-errors") as browser:
        seen = walk(browser, proxy.url, camera_id, "Ada", PASSWORD)
        if complaints := browser.complaints():
            raise ClientError(f"Chromium's console: {complaints[:3]}")
        return seen


def _missing(reason: str) -> str:
    raise MissingError(reason)


if __name__ == "__main__":
    main()
