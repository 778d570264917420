"""Real proxies in front of a real dashboard, configured as the documentation says."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from redis import Redis

from tests.accounts import PASSWORD, TOKEN, make_user
from tests.integration.test_dashboard_hub import FakeCamera, eventually, picture
from tests.integration.test_dashboard_server import Server, read_until
from tests.servers.reverse_proxies import ReverseProxy, reverse_proxy

CASES = [("nginx", False), ("nginx", True), ("haproxy", False), ("haproxy", True)]
PAGE = {"Accept": "text/html"}


@pytest.fixture
def server(redis: Redis, redis_url: str) -> Iterator[Server]:
    del redis
    started = Server(redis_url, behind_proxy="true", proxy_addresses="127.0.0.1")
    assert eventually(started.answers, 30)
    yield started
    started.stop()


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}{' under a path' if case[1] else ''}")
def proxy(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[ReverseProxy]:
    program, under_path = request.param
    with reverse_proxy(program, under_path, server.port, tmp_path) as running:
        yield running


def sign_in(proxy: ReverseProxy) -> tuple[int, str, str]:
    """Send the sign-in page's form as browsers do over HTTP: `Origin`, and no `Sec-Fetch-Site`."""
    answer = proxy.open("/sign-in", PAGE)
    cookie = SimpleCookie(answer.headers["Set-Cookie"])
    token = TOKEN.search(answer.read().decode())
    assert token is not None
    [(name, morsel)] = cookie.items()
    assert (morsel["path"], morsel["secure"]) == (proxy.root or "/", True)
    form = urlencode({"name": "Ada", "password": PASSWORD, "csrf_token": token[1]}).encode()
    headers = {
        **PAGE,
        "Origin": f"https://{proxy.host}",
        "Cookie": f"{name}={morsel.value}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = proxy.open("/sign-in", headers, form)
    return answer.status, answer.headers.get("Location", ""), answer.read().decode()


def test_people_sign_in_through_the_proxy(proxy: ReverseProxy, redis: Redis) -> None:
    make_user(redis)
    assert sign_in(proxy)[:2] == (302, f"{proxy.root}/")
    page = proxy.open("/sign-in", PAGE).read().decode()
    assert f'href="{proxy.root}/static/maskwatch.css"' in page
    assert proxy.open("/static/maskwatch.css", {}).status == 200
    if proxy.root:
        home = ReverseProxy(int(proxy.host.rpartition(":")[2]), proxy.authority, "")
        assert (
            home.open(proxy.root, PAGE)
            .headers["Location"]
            .startswith((f"{proxy.url}/", f"{proxy.root}/sign-in"))
        )


def test_each_picture_passes_the_proxy_before_the_next_is_made(
    proxy: ReverseProxy, server: Server, redis: Redis
) -> None:
    # A picture of so slow a camera stays new for 20 s, so that no placeholder pushes it through.
    camera = FakeCamera(redis, "Gate", analysis_fps=0.1)
    camera.commit()
    answer = proxy.open(f"/cameras/{camera.id}/stream.mjpg", server.authorization())
    for number in range(1, 6):
        assert picture(number) in read_until(answer, picture(number))
        camera.commit()
    answer.close()


def test_each_event_passes_the_proxy_before_the_next_happens(
    proxy: ReverseProxy, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    answer = proxy.open("/api/v1/events", server.authorization())
    assert b"Gate" in read_until(answer, b'"state":"live"')
    for _ in range(3):
        camera.count_person("no_mask", 0.9, 3.0)
        assert read_until(answer, b"no_mask")
    answer.close()


def test_a_recording_of_any_size_reaches_the_dashboard(proxy: ReverseProxy, server: Server) -> None:
    headers = {**server.authorization(), "Content-Type": "video/mp4"}
    answer = proxy.open("/api/v1/recordings", headers, bytes(3 * 2**20))
    assert answer.headers["Content-Type"] == "application/json", answer.read()
    assert b'"error"' in answer.read()


def test_a_sign_in_behind_nginx_with_its_default_host_says_what_to_set(
    server: Server, redis: Redis, tmp_path: Path
) -> None:
    make_user(redis)
    with reverse_proxy("nginx", False, server.port, tmp_path, "(Host|Prefix)") as proxy:
        status, _, text = sign_in(proxy)
    assert status == 403
    assert "<!doctype html>" in text
    assert f"https://{proxy.host}" in text
    assert "proxy_set_header Host $http_host" in text
