"""An audit in a real browser: started on its page, judged by keyboard, and its result."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from redis import Redis
from selenium.webdriver.common.by import By

from bus.stores.audits import AuditStore
from contract.people.audits import DrawnPerson
from contract.people.verdicts import Verdict
from tests.builders import add_camera, jpeg
from tests.e2e.browser import Browser
from tests.e2e.overflow import cut_off, set_width
from tests.e2e.test_wall_of_many import LONGEST, WIDTHS
from tests.integration.test_dashboard_hub import eventually
from tests.integration.test_dashboard_server import Server

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(autouse=True)
def as_before(browser: Browser) -> Iterator[None]:
    yield
    set_width(browser, 0)


def draw(redis: Redis, verdicts: list[Verdict]) -> None:
    """Let people be drawn for the only audit, as a worker does."""
    store = AuditStore(redis)
    [audit] = store.all()
    for number, verdict in enumerate(verdicts):
        row = DrawnPerson(
            f"{number:016x}", audit.camera_ids[0], verdict, 0.9, time.time() - 9 + number / 10,
            False, 2,
        )  # fmt: skip
        store.add(audit, audit.camera_ids[0], {verdict: 1}, [(row, [jpeg(200, 300), jpeg(80, 90)])])


def press(browser: Browser, key: str) -> None:
    browser.find("body").send_keys(key)


def judged(browser: Browser, number: int) -> bool:
    words = browser.find('[data-part="progress"]').text
    return words.startswith(f"{number} judged")


def test_an_audit_from_its_start_to_its_result(
    browser: Browser, server: Server, redis: Redis
) -> None:
    add_camera(redis, "Gate B12")
    browser.open(f"{server.url}/audits")
    browser.find('form.panel button[type="submit"]').click()
    browser.wait_for("#table")
    draw(redis, ["mask"] * 12 + ["no_mask"] * 9)
    browser.open(browser.driver.current_url)
    browser.find(".actions .primary").click()
    browser.wait_for('#judging[data-state="judging"] img')
    shown = browser.find("main").text.lower()
    assert "21 wait" in shown
    widths = "return [...document.querySelectorAll('.looks img')].map(i => i.naturalWidth)"
    assert eventually(lambda: browser.driver.execute_script(widths) == [200, 80], 5)
    press(browser, "3")
    assert eventually(lambda: judged(browser, 1), 10)
    press(browser, "u")
    assert eventually(lambda: judged(browser, 0), 10)
    for number in range(21):
        press(browser, "1" if number < 12 else "3")
        assert eventually(lambda n=number: judged(browser, n + 1), 10)
    assert "Nobody waits" in browser.find('[data-part="words"]').text
    browser.driver.find_element(By.LINK_TEXT, "To the result").click()
    browser.wait_for("#table")
    agrees = browser.driver.find_elements(By.CSS_SELECTOR, "#table td.agrees")
    assert [cell.text for cell in agrees] == ["12", "0", "9"]
    assert "Nothing to do" in browser.find("main").text
    assert browser.complaints() == []


def test_nothing_is_cut_off_on_the_pages_of_audits(
    browser: Browser, server: Server, redis: Redis
) -> None:
    add_camera(redis, LONGEST[:80])
    browser.open(f"{server.url}/audits")
    browser.find('form.panel button[type="submit"]').click()
    browser.wait_for("#table")
    draw(redis, ["mask"] * 3)
    result = browser.driver.current_url
    found = {}
    for page, ready in (
        (f"{server.url}/audits", "table"),
        (result, "#table"),
        (f"{result}/judge", "#judging[data-state=judging] img"),
    ):
        for width in WIDTHS:
            set_width(browser, width)
            browser.open(page)
            browser.wait_for(ready)
            if cut := cut_off(browser):
                found[page.rpartition("/")[2], width] = cut
    assert found == {}
