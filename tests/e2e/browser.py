"""A real browser without a window, or a skip that says why there is none."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 40.0
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
)


class Browser:
    """One browser window, and what tests ask of it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get(url)

    def sign_in(self, url: str, cookie: dict[str, str]) -> None:
        """Carry a session's cookie to the server at `url` from now on."""
        self.driver.get(f"{url}/sign-in")  # any of its pages, to be where cookies are
        self.driver.add_cookie(cookie)

    def prefer(self, scheme: str) -> None:
        """Have pages be `light` or `dark`; `""` is the browser's own."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def read(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(f"return {script}", *arguments)

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait generously until `condition` holds; fail with `what` did not come true."""
        WebDriverWait(self.driver, PATIENCE_S, 0.1).until(lambda _: condition(), what)

    def wait_for(self, selector: str) -> WebElement:
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector), selector)
        return self.find(selector)

    def complaints(self) -> list[str]:
        """What the browser's console holds against the pages, content policy included."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] == "SEVERE"
        ]


@contextmanager
def open_browser(profile: Path, *more: str) -> Iterator[Browser]:
    """Chromium with a fresh profile, `more` its arguments; skips the test where there is none."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver_path = shutil.which("chromedriver")
    if chromium is None or driver_path is None:
        pytest.skip("needs chromium and chromedriver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (*ARGUMENTS, *more, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))
    # Whether a window without a screen has the focus depends on Chromium's version. Without it,
    # `:focus` matches nothing and no focus event is sent.
    driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    driver.set_script_timeout(4 * PATIENCE_S)  # axe reads whole pages, on a machine that is busy
    try:
        yield Browser(driver)
    finally:
        driver.quit()
