"""Alerts in a real browser: a channel, a test, a rule, and an alert that comes and goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis
from standardwebhooks import Webhook

from tests.alerts import alerts_process
from tests.e2e.browser import Browser
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server
from tests.servers.receiver import receiver

pytestmark = pytest.mark.usefixtures("signed_in")


def test_a_channel_is_tested_and_an_alert_is_seen_on_the_page_and_the_wall(
    browser: Browser, server: Server, redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    gate = FakeCamera(redis, "Gate B12", group="Terminal 2")
    with receiver() as hook, alerts_process(redis_url, tmp_path / "log"), Feed(gate):
        browser.open(f"{server.url}/alerts/channels/new?kind=webhook")
        browser.wait_for("#name").send_keys("Control room")
        browser.find("#url").send_keys(f"{hook.url}/hook")
        browser.find("form.panel .primary").click()
        secret = browser.wait_for("#secret").get_attribute("value")
        browser.find("form[action$='/test'] button").click()
        browser.wait_for(".message.good")
        assert "Accepted: the receiver answered 200." in browser.find("main").text
        browser.open(f"{server.url}/alerts/log")
        assert "Delivered" in browser.wait_for("#log [data-outcome=delivered]").text

        browser.open(f"{server.url}/alerts/rules/new?kind=offline")
        browser.wait_for("#name").send_keys("Camera away")
        browser.find("#scope option[value='group:Terminal 2']").click()
        for name, seconds in (("for_s", "5"), ("clear_s", "0")):
            browser.find(f"#{name}").clear()
            browser.find(f"#{name}").send_keys(seconds)
        browser.find("form.panel .primary").click()
        browser.wait(lambda: browser.driver.current_url.endswith("/alerts/rules"), "saved")
        assert "offline for 5 s" in browser.find("main").text

        browser.open(f"{server.url}/alerts")
        browser.wait_for("#link[data-link=connected]")
        gate.set_state("offline", error="Nothing listens on port 554.")
        browser.wait(lambda: "Nothing listens" in browser.find("#open").text, "the alert")
        gate.set_state("offline", error="The camera refuses the password.")
        browser.wait(lambda: "Now: The camera refuses" in browser.find("#open").text, "now")
        browser.find("#open button").click()
        browser.wait(lambda: "Withdraw" in browser.find("#open").text, "acknowledged")
        browser.open(f"{server.url}/wall")
        browser.wait(lambda: "Camera offline since" in browser.find(".tile .alert").text, "tile")
        gate.set_state("live")
        browser.wait(lambda: not browser.find(".tile .alert").is_displayed(), "over")
        browser.wait(lambda: len(hook.got) == 3, "three messages")
    types = [Webhook(str(secret)).verify(got.body, got.headers)["type"] for got in hook.got]
    assert types == ["alert.test", "alert.opened", "alert.closed"]
    assert browser.complaints() == []
