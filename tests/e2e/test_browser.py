"""What tests of pages rely on, whichever Chromium and desktop they meet."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.browser import open_browser


def test_a_page_has_the_focus_even_where_its_window_does_not(tmp_path: Path) -> None:
    with open_browser(tmp_path / "browser") as browser:
        window = browser.driver.execute_cdp_cmd("Browser.getWindowForTarget", {})["windowId"]
        minimized = {"windowId": window, "bounds": {"windowState": "minimized"}}
        browser.driver.execute_cdp_cmd("Browser.setWindowBounds", minimized)
        browser.open("data:text/html,<input id=first autofocus>")
        browser.wait_for("#first:focus")
        assert browser.read("document.hasFocus()")
