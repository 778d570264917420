"""One browser and one dashboard for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.accounts import accounts_of, make_user, session_cookie
from tests.e2e.browser import Browser, open_browser
from tests.integration.test_dashboard_hub import eventually
from tests.integration.test_dashboard_server import Server


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


@pytest.fixture(autouse=True)
def console_of_its_own(request: pytest.FixtureRequest) -> None:
    """What the browser held against the pages of another test is not this test's."""
    if "browser" in request.fixturenames:
        browser: Browser = request.getfixturevalue("browser")
        browser.complaints()


@pytest.fixture(scope="session")
def server(redis_server: object) -> Iterator[Server]:
    started = Server(redis_server.url)  # type: ignore[attr-defined]
    assert eventually(started.answers, 30)
    yield started
    started.stop()


@pytest.fixture
def signed_in(browser: Browser, server: Server, redis: Redis) -> Iterator[None]:
    """An administrator's browser, which leaves no page open that would cut in on the next test."""
    sign_in(browser, server, redis)
    yield
    browser.open("about:blank")


def sign_in(browser: Browser, server: Server, redis: Redis) -> None:
    user = accounts_of(redis).users.find("Ada") or make_user(redis)
    browser.sign_in(server.url, session_cookie(redis, server.port, user))
