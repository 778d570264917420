"""Reports in a real browser: nothing is cut off at any width."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.builders import add_camera
from tests.e2e.browser import Browser
from tests.e2e.overflow import cut_off, set_width
from tests.e2e.past import write_past
from tests.e2e.test_wall_of_many import LONGEST, WIDTHS
from tests.integration.test_dashboard_server import Server

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(autouse=True)
def as_before(browser: Browser) -> Iterator[None]:
    yield
    set_width(browser, 0)


def test_nothing_is_cut_off_at_any_width(browser: Browser, server: Server, redis: Redis) -> None:
    for number, group in enumerate((LONGEST[:64], "", "Terminal 2")):
        camera = add_camera(redis, f"{LONGEST[:77]} {number}", group=group)
        write_past(redis, camera, seed=number)
    found = {}
    for kind in ("Week", "Month"):
        browser.open(f"{server.url}/reports?tz=UTC")
        browser.driver.find_element("link text", kind).click()
        browser.wait_for("#groups")
        address = browser.driver.current_url
        for width in WIDTHS:
            set_width(browser, width)
            browser.open(address)
            browser.wait_for("#groups")
            if cut := cut_off(browser):
                found[kind, width] = cut
        set_width(browser, 0)
    assert found == {}
    assert browser.complaints() == []
