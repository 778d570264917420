"""A tally in a real browser: people counted by eye beside people counted by Maskwatch."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from redis import Redis

from bus.keys import CameraKeys
from contract.people.people import Person
from tests.e2e.browser import Browser
from tests.e2e.overflow import cut_off, set_width
from tests.e2e.test_wall_of_many import LONGEST, WIDTHS
from tests.integration.test_dashboard_hub import FakeCamera, Feed, eventually
from tests.integration.test_dashboard_server import Server

pytestmark = pytest.mark.usefixtures("signed_in")

COUNTING_S = 8


@pytest.fixture(autouse=True)
def as_before(browser: Browser) -> Iterator[None]:
    yield
    set_width(browser, 0)


def words(browser: Browser) -> str:
    return browser.find('[data-part="words"]').text


def test_people_counted_by_eye_are_compared_with_people_counted_in_the_same_seconds(
    browser: Browser, server: Server, redis: Redis
) -> None:
    gate = FakeCamera(redis, "Gate B12")
    with Feed(gate):
        browser.open(f"{server.url}/cameras/{gate.id}")
        browser.find(f'a[href$="{gate.id}/tally"]').click()
        browser.wait_for('.tile[data-fresh="live"]')
        shorter = "document.getElementById('tally').dataset.tallyS = arguments[0]"
        browser.driver.execute_script(shorter, COUNTING_S)
        browser.find('[data-part="begin"]').click()
        browser.wait_for('#tally[data-state="counting"]')
        browser.find('[data-part="one"]').click()
        browser.find('[data-part="one"]').send_keys(" ")
        browser.find("body").send_keys(" ")
        browser.find('[data-part="undo"]').click()
        assert browser.find('[data-part="number"]').text == "2"
        now_s = time.time() - 0.5
        person = Person(7, now_s - 2, now_s, 25, 40.0, "mask", 0.9, 1.5)
        redis.xadd(CameraKeys(gate.id).people, {"person": person.encode()})
        assert eventually(lambda: "You saw 2" in words(browser), 60)
    assert words(browser) == "You saw 2, Maskwatch counted 1: 1 missed, 0 too many."
    browser.open(browser.driver.current_url)
    assert browser.find('#tallies [data-label="Missed"]').text == "1"
    assert browser.complaints() == []


def test_a_tally_ends_without_figures_when_the_picture_stops(
    browser: Browser, server: Server, redis: Redis
) -> None:
    gate = FakeCamera(redis, "Gate B12")
    with Feed(gate):
        browser.open(f"{server.url}/cameras/{gate.id}/tally")
        browser.wait_for('.tile[data-fresh="live"]')
        browser.find('[data-part="begin"]').click()
        browser.wait_for('#tally[data-state="counting"]')
    assert eventually(lambda: "interrupted" in words(browser), 60)
    assert redis.llen(CameraKeys(gate.id).tallies) == 0


def test_nothing_is_cut_off_on_the_page_of_a_tally(
    browser: Browser, server: Server, redis: Redis
) -> None:
    gate = FakeCamera(redis, LONGEST[:80])
    found = {}
    for width in WIDTHS:
        set_width(browser, width)
        browser.open(f"{server.url}/cameras/{gate.id}/tally")
        browser.wait_for("#tallies")
        if cut := cut_off(browser):
            found[width] = cut
    assert found == {}
