"""No page cuts anything off or scrolls sideways, from a small phone to a wall of screens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.alerts import add_rule, add_webhook
from tests.e2e.browser import Browser
from tests.e2e.overflow import cut_off, set_width
from tests.e2e.past import write_past
from tests.e2e.test_accessibility import PAGES
from tests.e2e.test_wall_of_many import LONGEST, WIDTHS
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(autouse=True)
def as_before(browser: Browser) -> Iterator[None]:
    yield
    set_width(browser, 0)


def test_no_page_cuts_anything_off_at_any_width(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, LONGEST[:80], group=LONGEST[:60])
    write_past(redis, camera.camera)
    hook = add_webhook(redis, "http://127.0.0.1:9/hook")
    rule = add_rule(redis, "rate", LONGEST[:80], channels=(hook.id,))
    found: dict[str, list[str]] = {}

    def look(page: str) -> None:
        for width in WIDTHS:
            set_width(browser, width)
            browser.open(f"{server.url}/{page}")
            if page == camera_page:
                browser.wait_for("#timeline[data-range='24h'] svg")
                browser.find("#timeline summary").click()
            if cut := cut_off(browser):
                found[f"{page} at {width} px"] = cut

    camera_page = f"cameras/{camera.id}"
    with Feed(camera):
        look(camera_page)
    # The API's page is a library's.
    for page in (*PAGES, f"{camera_page}/edit", f"alerts/rules/{rule.id}"):
        if page != "api":
            look(page)
    assert found == {}
