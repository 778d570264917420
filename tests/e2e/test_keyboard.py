"""Work that is done without a mouse: whatever has the focus on the way shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from selenium.webdriver.common.keys import Keys

from bus.stores.alert_rules import AlertRuleStore
from tests.e2e.browser import Browser
from tests.e2e.test_camera_page import tab_to
from tests.integration.test_dashboard_hub import FakeCamera
from tests.integration.test_dashboard_server import Server
from tests.secret_key import cameras_of

pytestmark = pytest.mark.usefixtures("signed_in")


def test_an_alert_rule_is_made_changed_and_removed_with_the_keyboard_alone(
    browser: Browser, server: Server, redis: Redis
) -> None:
    rules = AlertRuleStore(redis)
    browser.open(f"{server.url}/alerts")
    tab_to(browser, "nav.sections a[href='/alerts/rules']").send_keys(Keys.ENTER)
    browser.wait_for("a[href$='kind=offline']")
    tab_to(browser, "a[href$='kind=offline']").send_keys(Keys.ENTER)
    browser.wait_for("#for_s")
    tab_to(browser, "#name").send_keys("Camera away", Keys.ENTER)
    browser.wait_for("td.row-actions")
    assert [rule.name for rule in rules.all()] == ["Camera away"]
    tab_to(browser, "a[aria-label='Change Camera away']").send_keys(Keys.ENTER)
    browser.wait_for("#for_s")
    tab_to(browser, "#enabled").send_keys(Keys.SPACE)
    tab_to(browser, "form.panel .primary").send_keys(Keys.ENTER)
    browser.wait(lambda: "switched off" in browser.find("main").text, "it is off")
    tab_to(browser, "button[aria-label='Remove the rule Camera away']").send_keys(Keys.ENTER)
    browser.wait_for("#really")
    tab_to(browser, "#really").send_keys(Keys.ENTER)
    browser.wait(lambda: "No rules yet" in browser.find("main").text, "it is gone")
    assert rules.all() == []


def test_a_file_of_cameras_is_applied_with_the_keyboard_alone(
    browser: Browser, server: Server, redis: Redis, tmp_path: Path
) -> None:
    gate = FakeCamera(redis, "Gate")
    sheet = tmp_path / "cameras.csv"
    sheet.write_text(f"id;name;source\n{gate.id};Gate West;demo:\n;Door;ftp://10.0.0.9/\n")
    browser.open(f"{server.url}/cameras/import")
    tab_to(browser, "#file").send_keys(str(sheet))  # as the system's own window would
    browser.wait_for("#rows [data-outcome=refused]")
    tab_to(browser, "#partial").send_keys(Keys.SPACE)
    browser.wait(lambda: browser.find("#apply").is_displayed(), "the button to apply")
    tab_to(browser, "#apply").send_keys(Keys.ENTER)
    browser.wait(lambda: cameras_of(redis).get(gate.id).name == "Gate West", "applied")
