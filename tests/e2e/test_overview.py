"""The overview in a real browser: nothing cut off, and a click leads to the camera at that time."""

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


def test_nothing_is_cut_off_at_any_width_and_a_camera_opens_at_the_period(
    browser: Browser, server: Server, redis: Redis
) -> None:
    for number, group in enumerate((LONGEST[:64], "", "Terminal 2")):
        camera = add_camera(redis, f"{LONGEST[:77]} {number}", group=group)
        write_past(redis, camera, seed=number)
    found = {}
    for width in WIDTHS:
        set_width(browser, width)
        browser.open(f"{server.url}/overview?period=yesterday&tz=UTC")
        browser.wait_for("#groups")
        if cut := cut_off(browser):
            found[width] = cut
    assert found == {}
    set_width(browser, 0)
    ends = browser.find("#groups a").get_attribute("href").partition("?")[2]
    browser.find("#groups a").click()
    browser.wait_for("#timeline[data-range=chosen] svg")
    assert browser.driver.current_url.endswith(ends)
    assert browser.complaints() == []
