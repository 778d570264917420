"""One camera's page in a real browser: what it counted over time, read in every way there is."""

from __future__ import annotations

import csv
import io
import json

import pytest
from redis import Redis
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.browser import Browser
from tests.e2e.past import write_past
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server
from tests.secret_key import cameras_of

pytestmark = pytest.mark.usefixtures("signed_in")

FOCUS_SHOWS = """(() => {
  const marked = [document.activeElement, document.activeElement.nextElementSibling];
  return marked.some((one) => one && getComputedStyle(one).outlineStyle !== 'none');
})()"""
"""The hidden button of a range or a size is marked by what follows it."""
CHART = "#timeline [data-part=chart]"
FETCHED = "fetch(arguments[0]).then((answer) => answer.text())"


def choose(browser: Browser, time_range: str) -> None:
    browser.find(f"input[value='{time_range}']").send_keys(Keys.SPACE)
    browser.wait_for(f"#timeline[data-range='{time_range}'] svg")


def test_a_months_timeline_is_drawn_and_read_with_keys_and_as_a_table(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    write_past(redis, camera.camera)
    browser.open(f"{server.url}/cameras/{camera.id}")
    browser.wait_for("#timeline[data-range='24h'] svg")
    choose(browser, "7d")  # as long as that, the made-up days show all they have at any hour
    assert browser.read(f"document.querySelectorAll('{CHART} > svg > .gap').length") >= 2
    assert browser.read(f"document.querySelectorAll('{CHART} > svg > .invalid').length") >= 1
    assert "95" in browser.find(CHART).text
    browser.find(CHART).send_keys(Keys.HOME)
    first = browser.find(CHART).get_attribute("aria-valuetext")
    browser.find(CHART).send_keys(Keys.RIGHT)
    assert browser.find(CHART).get_attribute("aria-valuetext") != first
    assert browser.find("#timeline .tip").is_displayed()
    browser.find(CHART).send_keys(Keys.ESCAPE)
    assert not browser.find("#timeline .tip").is_displayed()
    choose(browser, "30d")
    browser.find("#timeline summary").click()
    rows = "document.querySelectorAll('#timeline tbody tr').length"
    browser.wait(lambda: browser.read(rows) == 30, "a row for each of 30 days")
    browser.wait(
        lambda: "wore a mask" in browser.find("#weekday [data-part=words]").text, "the weekday"
    )
    assert browser.complaints() == []


def test_the_exported_file_says_what_the_api_says(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    write_past(redis, camera.camera)
    browser.open(f"{server.url}/cameras/{camera.id}")
    browser.wait_for("#timeline[data-range='24h'] svg")
    choose(browser, "7d")
    address = browser.find("#timeline [data-part=csv]").get_attribute("href") or ""
    as_json = address.replace("format=csv", "format=json")
    *_, running = json.loads(browser.read(FETCHED, as_json))["points"]
    # Minutes go on between two answers: ask for the hours that are over.
    over = f"&to={running['from_s']}"
    table = list(csv.DictReader(io.StringIO(browser.read(FETCHED, address + over))))
    points = json.loads(browser.read(FETCHED, as_json + over))["points"]
    expected = [
        (point["from"], "" if point["people"] is None else str(point["people"]["mask"]))
        for point in points
    ]
    assert [(row["from"], row["mask"]) for row in table] == expected
    assert len(expected) == (running["from_s"] - points[0]["from_s"]) / 3600
    assert len(expected) >= 6 * 24 - 1  # six days and this one, of which one may be of 23 hours


def test_people_and_what_the_connection_did_appear_as_rows(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    browser.open(f"{server.url}/cameras/{camera.id}")
    browser.wait(lambda: "No people counted yet" in browser.find("#people").text, "an empty table")
    camera.count_person("no_mask", 0.87, in_view_s=4.5)
    browser.wait(lambda: "87 %" in browser.find("#people").text, "the person")
    assert "4.5 s" in browser.find("#people").text
    camera.set_state("offline", error_kind="refused", error="Nothing listens on port 554.")
    browser.wait(
        lambda: "Nothing listens on port 554." in browser.find("#connections").text,
        "what the connection did",
    )


def test_a_line_is_drawn_with_the_pointer_and_an_area_with_keys_and_both_are_kept(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    browser.open(f"{server.url}/cameras/{camera.id}")
    browser.wait_for("#layout li")
    browser.wait(lambda: "No shapes" in browser.find("#layout ul").text, "the camera is known")
    browser.find("[data-act=draw]").click()
    browser.find("[data-act=line]").click()
    surface = browser.find("#surface")
    part = surface.size["width"] // 5
    pointer = ActionChains(browser.driver).move_to_element_with_offset(surface, -part, 0).click()
    pointer.pause(0.6).move_to_element_with_offset(surface, part, 20).click().perform()
    browser.find("[data-act=finish]").click()
    assert browser.driver.find_elements("css selector", "#surface .arrow"), "which way is in"
    browser.find("[data-act=ignored]").click()
    for leap in (Keys.ARROW_RIGHT, Keys.ARROW_UP, ""):
        keys = (Keys.SPACE, Keys.SHIFT, leap * 4, Keys.NULL) if leap else (Keys.SPACE, Keys.ENTER)
        browser.driver.switch_to.active_element.send_keys(*keys)
    browser.find("[data-act=save]").click()
    browser.wait(lambda: "Ignored area 1" in browser.find("#layout ul").text, "both are listed")
    browser.wait(lambda: cameras_of(redis).get(camera.id).ignored, "both are kept")
    kept = cameras_of(redis).get(camera.id)
    [line] = kept.lines
    assert line.points[0][0] < 0.5 < line.points[1][0]
    [area] = kept.ignored
    assert area[1][0] - area[0][0] == pytest.approx(0.2, abs=0.001)
    browser.find("[data-act=draw]").click()
    browser.find("[aria-label='Reverse Line 1']").click()
    browser.find("[aria-label='Delete Ignored area 1']").click()
    browser.find("[data-act=save]").click()
    browser.wait(lambda: "Ignored" not in browser.find("#layout ul").text, "the area is gone")
    browser.wait(lambda: not cameras_of(redis).get(camera.id).ignored, "that is kept, too")
    changed = cameras_of(redis).get(camera.id)
    assert changed.lines[0].points == line.points[::-1]
    assert browser.complaints() == []


def test_no_click_beside_the_plan_drops_what_was_drawn(
    browser: Browser, server: Server, redis: Redis
) -> None:
    """Neither another shape, nor Save, nor Cancel, nor a shape with too few points."""
    camera = FakeCamera(redis, "Gate")
    browser.driver.set_window_size(1440, 757)
    browser.open(f"{server.url}/cameras/{camera.id}")
    browser.wait(lambda: "No shapes" in browser.find("#layout ul").text, "the camera is known")
    browser.find("[data-act=draw]").click()
    browser.find("[data-act=line]").click()
    said = browser.find("[data-part=said]")
    in_sight = "arguments[0].getBoundingClientRect().bottom <= innerHeight"
    assert browser.driver.execute_script(f"return {in_sight}", said)
    assert browser.driver.execute_script(f"return {in_sight}", browser.find("#surface"))
    keys = browser.driver.switch_to.active_element
    keys.send_keys(Keys.SPACE)
    for act in ("zone", "save"):
        browser.find(f"[data-act={act}]").click()
        assert "needs at least 2 points; it has 1" in said.text
    browser.driver.switch_to.active_element.send_keys(Keys.ARROW_RIGHT * 9, Keys.SPACE)
    browser.find("[data-act=zone]").click()
    listed = "[...document.querySelectorAll('#layout li input')].map(one => one.value)"
    assert browser.read(listed) == ["Line 1"]
    for leap in (Keys.ARROW_RIGHT, Keys.ARROW_UP, Keys.ARROW_LEFT):
        browser.driver.switch_to.active_element.send_keys(leap * 9, Keys.SPACE)
    browser.find("[data-act=cancel]").click()
    assert "not saved" in said.text
    browser.find("[data-act=save]").click()
    browser.wait(lambda: cameras_of(redis).get(camera.id).zones, "both are kept")
    assert cameras_of(redis).get(camera.id).lines
    browser.wait(lambda: "Saved" in said.text, "it says so only now")
    assert browser.complaints() == []


def test_the_wall_and_a_camera_are_used_with_the_keyboard_alone(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    write_past(redis, camera.camera)
    browser.open(f"{server.url}/wall")
    browser.wait_for(".tile")
    tab_to(browser, ".tile-link").send_keys(Keys.ENTER)
    browser.wait_for("#timeline[data-range='24h'] svg")
    tab_to(browser, "input[name=range]").send_keys(Keys.ARROW_LEFT)
    browser.wait_for("#timeline[data-range='1h'] svg")
    chart = tab_to(browser, CHART)
    chart.send_keys(Keys.HOME)
    assert browser.find("#timeline .tip").is_displayed()
    tab_to(browser, "#timeline summary").send_keys(Keys.ENTER)
    assert browser.find("#timeline table").is_displayed()


def test_times_name_the_browsers_time_zone(browser: Browser, server: Server, redis: Redis) -> None:
    camera = FakeCamera(redis, "Gate")
    zone = "Emulation.setTimezoneOverride"
    browser.driver.execute_cdp_cmd(zone, {"timezoneId": "Asia/Tokyo"})
    try:
        with Feed(camera):
            browser.open(f"{server.url}/cameras/{camera.id}")
            browser.wait(lambda: "since" in browser.find("[data-fact=state]").text, "the state")
            assert browser.find("[data-fact=state]").text.endswith(" GMT+9")
            assert "Last seen (Asia/Tokyo)" in browser.find("#people").text
            assert "Asia/Tokyo" in browser.find("#timeline .panel-head").text
    finally:
        browser.driver.execute_cdp_cmd(zone, {"timezoneId": ""})


def tab_to(browser: Browser, selector: str) -> WebElement:
    """Press Tab until that element has the focus; whatever has it on the way shows it."""
    for _ in range(60):
        focused = browser.driver.switch_to.active_element
        if browser.read("arguments[0].matches(arguments[1])", focused, selector):
            return focused
        # Not to the element: one that takes files would take it for a name.
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        where = browser.read("document.activeElement.outerHTML.slice(0, 200)")
        assert browser.read(FOCUS_SHOWS), f"the focus cannot be seen: {where}"
    pytest.fail(f"the keyboard does not reach {selector}")
