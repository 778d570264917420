"""A wall of any number of cameras on a screen of any width: nothing cut off, nothing in vain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from redis import Redis
from selenium.webdriver.common.keys import Keys

from tests.builders import add_camera, count_people
from tests.e2e.browser import Browser
from tests.e2e.overflow import cut_off, set_width
from tests.e2e.past import write_past
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server

WIDTHS = (320, 390, 768, 1440, 1920, 3840)
LONGEST = "Emergency exit of the northern baggage hall on level minus two, left-hand side W"
MOST_ELEMENTS = 4000

pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(autouse=True)
def as_before(browser: Browser) -> Iterator[None]:
    yield
    set_width(browser, 0)


def tiles(browser: Browser) -> int:
    return int(browser.read("document.querySelectorAll('.tile:not([hidden])').length"))


@pytest.mark.parametrize("count", [7, 64])
def test_nothing_is_cut_off_at_any_width(
    browser: Browser, server: Server, redis: Redis, count: int
) -> None:
    names = [f"{LONGEST[: 80 - 3]} {n:02}" if n % 5 == 0 else f"Gate {n}" for n in range(count)]
    cameras = [FakeCamera(redis, name[:80]) for name in names]
    for camera in cameras:
        count_people(redis, camera.id, mask=123456, incorrect=23456, no_mask=34567, unknown=45678)
    write_past(redis, cameras[0].camera)
    found = {}
    with Feed(*cameras[:2]):
        for width in WIDTHS:
            set_width(browser, width)
            browser.open(f"{server.url}/wall")
            browser.wait_for(".tile[data-fresh=live]")
            for size in ("auto", "small", "medium", "large"):
                browser.read(f"document.querySelector('input[value={size}]').click()")
                if cut := cut_off(browser):
                    found[width, size] = cut
        browser.read("localStorage.clear()")
    assert found == {}


def test_of_a_thousand_cameras_only_tiles_near_the_view_exist_and_those_off_are_folded(
    browser: Browser, server: Server, redis: Redis
) -> None:
    for number in range(996):
        add_camera(redis, f"Spare {number:03}", enabled=False)
    for number in range(60):
        add_camera(redis, f"Gate {number:02}")
    browser.open(f"{server.url}/wall")
    browser.wait(lambda: tiles(browser) > 0, "tiles")
    assert browser.find(".tile .name").text == "Gate 00"
    assert "996 cameras are switched off" in browser.find("#off summary").text
    set_width(browser, 390)
    browser.wait(lambda: 0 < tiles(browser) < 30, "the tiles near the view")
    assert browser.read("document.querySelectorAll('*').length") < MOST_ELEMENTS
    browser.read("scrollTo(0, document.body.scrollHeight)")
    last = "[...document.querySelectorAll('.tile .name')].at(-1).textContent"
    browser.wait(lambda: browser.read(last) == "Gate 59", "the last one")
    assert browser.read("document.querySelectorAll('*').length") < MOST_ELEMENTS
    browser.find("#off summary").click()
    browser.wait(lambda: "and 796 more" in browser.find("#off ul").text, "the first of them")
    assert browser.complaints() == []


def test_all_tiles_of_auto_are_in_sight_where_they_fit(
    browser: Browser, server: Server, redis: Redis
) -> None:
    bottoms = "[...document.querySelectorAll('.tile')].map(t => t.getBoundingClientRect().bottom)"
    for number in range(9):
        add_camera(redis, f"Gate {number}")
        if number not in {0, 1, 4, 8}:
            continue
        for width, height in ((1440, 900), (2560, 1000), (1000, 1400)):
            set_width(browser, width, height)
            browser.open(f"{server.url}/wall")
            browser.wait(lambda count=number + 1: tiles(browser) == count, "all tiles")
            assert max(browser.read(bottoms)) <= height, (number + 1, width)


def test_group_and_search_change_the_sums_above_the_wall(
    browser: Browser, server: Server, redis: Redis
) -> None:
    gate, door = FakeCamera(redis, "Gate", group="Terminal 2"), FakeCamera(redis, "Door")
    count_people(redis, gate.id, mask=5)
    count_people(redis, door.id, mask=70)
    people = "#summary [data-part=people] [data-verdict=mask] b"
    browser.open(f"{server.url}/wall")
    browser.wait(lambda: browser.find(people).text == "75", "of all")
    browser.find("#group option[value='group:Terminal 2']").click()
    assert browser.find(people).text == "5"
    assert "1 of 2 cameras" in browser.find("#summary").text
    browser.find("#group option[value='']").click()
    browser.find("body").send_keys("/")
    browser.driver.switch_to.active_element.send_keys("door")
    browser.wait(lambda: browser.find(people).text == "70", "of the one found")
    browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE, Keys.ESCAPE)
    browser.wait(lambda: tiles(browser) == 2, "all again")


def test_a_camera_is_found_from_any_page_with_the_keyboard(
    browser: Browser, server: Server, redis: Redis
) -> None:
    FakeCamera(redis, "Gate 1", group="Terminal 2").set_state("offline", error="Gone.")
    wanted = FakeCamera(redis, "Gate 2", group="Terminal 2")
    browser.open(f"{server.url}/alerts")
    browser.find("body").send_keys("/")
    field = browser.driver.switch_to.active_element
    field.send_keys("terminal live")
    browser.wait(lambda: "Gate 2" in browser.find("#found").text, "words of group and state")
    assert "Gate 1" not in browser.find("#found").text
    field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    browser.wait(lambda: browser.driver.current_url.endswith(wanted.id), "its page")
    assert browser.complaints() == []


def test_a_rotating_wall_begins_with_cameras_that_have_pictures(
    browser: Browser, server: Server, redis: Redis
) -> None:
    for number in range(30):
        FakeCamera(redis, f"Away {number:02}").set_state("offline", error="Gone.")
    live = FakeCamera(redis, "Zebra crossing")
    add_camera(redis, "A spare one", enabled=False)
    with Feed(live):
        browser.open(f"{server.url}/wall")
        browser.wait(lambda: tiles(browser) > 0, "tiles")
        gone = "Date.now = (now => () => now() + 120000)(Date.now)"
        browser.read(f"({gone}, 0)")  # two minutes on, those that are away come last
        browser.find("#rotate option[value='10']").click()
        browser.wait(lambda: "Zebra" in browser.find(".tile .name").text, "the live one first")
        assert browser.find(".tile .name").text == "Zebra crossing"
        browser.wait_for(".tile[data-fresh=live]")
        browser.read("localStorage.clear()")
