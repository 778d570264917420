"""Players, programs and browsers that people really use, against the running system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.real_clients import MissingError
from benchmarks.real_clients.__main__ import ENVIRONMENT, in_chromium, in_firefox
from benchmarks.real_clients.players import PLAYERS
from benchmarks.real_clients.programs import curl, prometheus, scrape
from benchmarks.system import System, running_system, wait_until
from tests.accounts import make_user
from tests.servers.reverse_proxies import ReverseProxy, reverse_proxy


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system(ENVIRONMENT) as running:
        wait_until(lambda: all(map(running.latest, running.cameras())), 60, "a picture", running)
        make_user(running.redis)
        yield running


@pytest.fixture(scope="module", params=["nginx", "haproxy"])
def proxy(
    request: pytest.FixtureRequest, system: System, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ReverseProxy]:
    port, folder = int(system.url.rpartition(":")[2]), tmp_path_factory.mktemp(request.param)
    with reverse_proxy(request.param, True, port, folder) as running:
        yield running


def tried(client: Callable[[], str]) -> str:
    """What a client says; skips the test where this machine lacks it."""
    try:
        return client()
    except MissingError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("player", PLAYERS)
def test_a_player_plays_a_cameras_stream_with_an_api_key(system: System, player: str) -> None:
    host, camera = system.url.removeprefix("http://"), system.cameras()[0].id
    url = f"http://key:{system.key}@{host}/cameras/{camera}/stream.mjpg"
    assert "pictures" in tried(lambda: PLAYERS[player](url))


def test_curl_gets_answers_and_live_pictures_through_a_proxy(
    system: System, proxy: ReverseProxy
) -> None:
    assert "live pictures" in tried(lambda: curl(proxy, system.key, system.cameras()[0].id))


def test_prometheus_scrapes_through_a_proxy_with_gzip_and_openmetrics(
    system: System, proxy: ReverseProxy, tmp_path: Path
) -> None:
    assert "OpenMetrics" in scrape(proxy, system.key)
    assert "up" in tried(lambda: prometheus(proxy, system.key, tmp_path))


def test_firefox_and_chromium_find_every_page_under_the_path(
    system: System, proxy: ReverseProxy, tmp_path: Path
) -> None:
    camera = system.cameras()[0].id
    # One each is enough here; `python -m benchmarks.real_clients` tries all pairs.
    browser = in_firefox if "nginx" in str(proxy.authority) else in_chromium
    assert "live pictures on the wall" in tried(lambda: browser(proxy, camera, tmp_path))
