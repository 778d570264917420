"""Every page, in light and dark: an axe scan finds nothing serious."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import Browser
from tests.e2e.past import write_past
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server

PAGES = (
    "cameras/new",
    "cameras/import",
    "alerts",
    "alerts/rules",
    "alerts/rules/new?kind=rate",
    "alerts/channels",
    "alerts/channels/new?kind=email",
    "alerts/log",
    "settings/users",
    "settings/keys",
    "settings/audit",
    "account",
    "try",
    "try/webcam",
    "try/recordings",
    "api",
    "sign-in",
)

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(params=["light", "dark"])
def scheme(browser: Browser, request: pytest.FixtureRequest) -> Iterator[str]:
    browser.prefer(request.param)
    yield str(request.param)
    browser.prefer("")


def test_no_page_has_a_serious_accessibility_finding(
    browser: Browser, server: Server, redis: Redis, scheme: str
) -> None:
    camera, away = FakeCamera(redis, "Gate", group="Terminal 2"), FakeCamera(redis, "Door")
    write_past(redis, camera.camera)
    away.set_state("offline", error="Nothing listens on port 554.")
    findings = {}
    with Feed(camera):
        browser.open(server.url)
        browser.wait_for(".tile[data-fresh=live]")
        findings["the wall"] = serious_findings(browser)
        browser.open(f"{server.url}/cameras/{camera.id}")
        browser.wait_for("#timeline[data-range='24h'] svg")
        browser.find("#timeline summary").click()
        browser.find("[data-act=draw]").click()
        findings["a camera"] = serious_findings(browser)
    for page in PAGES:
        browser.open(f"{server.url}/{page}")
        findings[page] = serious_findings(browser)
    assert {page: found for page, found in findings.items() if found} == {}


def test_the_scan_tells_what_is_wrong(browser: Browser, server: Server) -> None:
    browser.open(server.url)
    browser.read("document.querySelector('main').append(document.createElement('input'))")
    assert any("label" in finding for finding in serious_findings(browser))
