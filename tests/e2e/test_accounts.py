"""Accounts in a real browser: the first link, signing in and out, and what a viewer may not."""

from __future__ import annotations

import pytest
from redis import Redis
from selenium.webdriver.common.keys import Keys

from contract.accounts.grants import EVERYWHERE
from tests.accounts import PASSWORD, accounts_of, make_user, session_cookie
from tests.e2e.browser import Browser
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(browser: Browser, server: Server, redis: Redis) -> None:
    browser.open(f"{server.url}/sign-in")
    browser.driver.delete_all_cookies()


def type_in(browser: Browser, *texts: str) -> None:
    """Type into the fields one after the other, as from the keyboard, and press Enter."""
    field = browser.driver.switch_to.active_element
    for text in texts[:-1]:
        field.send_keys(text, Keys.TAB)
        field = browser.driver.switch_to.active_element
    field.send_keys(texts[-1], Keys.ENTER)


def test_the_first_link_leads_to_a_password_and_the_wall_without_a_mouse(
    browser: Browser, server: Server, redis: Redis
) -> None:
    link = accounts_of(redis).first_link()
    browser.open(f"{server.url}{link}")
    browser.wait_for("#password:focus")
    type_in(browser, PASSWORD, PASSWORD)
    browser.wait_for("#empty:not([hidden])")
    browser.open(f"{server.url}/account")
    browser.find("form[action='/sign-out'] button").send_keys(Keys.ENTER)
    browser.wait_for("#name:focus")
    browser.open(f"{server.url}/settings/audit")
    browser.wait_for("#name:focus")
    type_in(browser, "admin", PASSWORD)
    browser.wait(lambda: "/settings/audit" in browser.driver.current_url, "where it was going")
    assert "signed in" in browser.find("main").text
    assert browser.complaints() == []


def test_an_account_made_on_the_page_comes_in_by_its_link_and_sees_what_it_may(
    browser: Browser, server: Server, redis: Redis
) -> None:
    FakeCamera(redis, "Here", group="Terminal 2")
    FakeCamera(redis, "There", group="Platform 4")
    browser.sign_in(server.url, session_cookie(redis, server.port, make_user(redis)))
    browser.open(f"{server.url}/settings/users")
    browser.wait_for("#name").send_keys("Grace")
    browser.find("#role_in_1").send_keys("viewer")
    browser.find("form.panel .primary").click()
    link = browser.wait_for("#link").get_attribute("value")
    browser.driver.delete_all_cookies()
    browser.open(str(link))
    browser.wait_for("#password:focus")
    type_in(browser, PASSWORD, PASSWORD)
    browser.wait_for(".tile")
    names = browser.read("[...document.querySelectorAll('.tile .name')].map(n => n.textContent)")
    assert names == ["Here"]
    assert browser.read("document.querySelectorAll('a[href=\"/cameras/new\"]').length") == 0
    browser.find(".tile-link").click()
    browser.wait_for("h1.name")
    assert browser.read("document.querySelectorAll('#toggle, #remove').length") == 0
    assert browser.complaints() == []


def test_a_wall_whose_viewer_is_signed_out_elsewhere_asks_to_sign_in(
    browser: Browser, server: Server, redis: Redis
) -> None:
    user = make_user(redis, "Grace", **{EVERYWHERE: "viewer"})
    camera = FakeCamera(redis, "Gate")
    with Feed(camera):
        browser.sign_in(server.url, session_cookie(redis, server.port, user))
        browser.open(f"{server.url}/wall")
        browser.wait_for(f".tile[data-camera='{camera.id}'][data-fresh=live]")
        accounts_of(redis).sessions.end_all(user.id)
        browser.wait_for("#name:focus")
        assert browser.read("document.querySelectorAll('canvas').length") == 0
    browser.complaints()  # the refused stream is the point; leave none for the next test
