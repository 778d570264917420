"""The API's page: Swagger UI over our document, from our own files alone."""

from __future__ import annotations

import pytest
from redis import Redis

from tests.e2e.accessibility import serious_findings
from tests.e2e.browser import Browser
from tests.integration.test_dashboard_hub import FakeCamera
from tests.integration.test_dashboard_server import Server

pytestmark = pytest.mark.usefixtures("signed_in")

DOCUMENT = "fetch('/api/v1/openapi.json').then(answer => answer.json())"

SCROLL = "document.querySelector('.models-scroll').scrollBy(0, 400)"
"""Scrolls the list of records, of which only what is in view is in the page."""


def texts(browser: Browser, selector: str) -> list[str]:
    found = "[...document.querySelectorAll(arguments[0])].map(one => one.textContent)"
    return [str(text) for text in browser.read(found, selector)]


def test_the_page_shows_every_operation_and_every_record(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}/api")
    browser.wait_for(".opblock")
    document = browser.read(DOCUMENT)
    operations = [(m, path) for path, methods in document["paths"].items() for m in methods]
    shown = texts(browser, ".opblock-summary-path, .opblock-summary-path__deprecated")
    assert sorted(path.replace("\u200b", "") for path in shown) == sorted(p for _, p in operations)
    missing = set(document["components"]["schemas"])

    def scrolled_past_all() -> bool:
        browser.read(SCROLL)
        missing.difference_update(texts(browser, ".models .json-schema-2020-12__title"))
        return not missing

    browser.wait(scrolled_past_all, "every record")
    assert browser.complaints() == []


def test_nothing_on_the_page_comes_from_elsewhere(browser: Browser, server: Server) -> None:
    browser.open(f"{server.url}/api")
    browser.wait_for(".opblock")
    asked = browser.read("performance.getEntriesByType('resource').map(one => one.name)")
    assert [one for one in asked if not one.startswith((server.url, "data:"))] == []
    assert any("swagger-ui-bundle" in one for one in asked)


def test_what_reads_can_be_tried_and_what_changes_cannot(
    browser: Browser, server: Server, redis: Redis
) -> None:
    FakeCamera(redis, "Gate of the page")
    browser.open(f"{server.url}/api#/cameras/camera_api_cameras")
    browser.wait_for("#operations-cameras-camera_api_cameras .try-out__btn").click()
    browser.wait_for("#operations-cameras-camera_api_cameras .execute").click()
    browser.wait(
        lambda: "Gate of the page" in "".join(texts(browser, ".live-responses-table")),
        "the answer",
    )
    browser.open("about:blank")
    browser.open(f"{server.url}/api#/cameras/camera_api_remove")
    browser.wait_for("#operations-cameras-camera_api_remove .responses-wrapper")
    assert texts(browser, "#operations-cameras-camera_api_remove .try-out__btn") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_operation_that_is_open_has_no_serious_accessibility_finding(
    browser: Browser, server: Server, scheme: str
) -> None:
    browser.prefer(scheme)
    browser.open(f"{server.url}/api#/cameras/camera_api_change")
    browser.wait_for("#operations-cameras-camera_api_change .responses-wrapper")
    dark = browser.read("document.documentElement.classList.contains('dark-mode')")
    found = serious_findings(browser)
    browser.prefer("")
    assert (dark, found) == (scheme == "dark", [])
