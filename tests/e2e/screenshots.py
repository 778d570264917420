"""Pictures of every page of the real system with demo cameras, to be looked at.

    python -m tests.e2e.screenshots FOLDER [PAGE ...]

Light and dark, desktop and phone; pages as they are at first, and with something on them
(`tests.e2e.scenes`). The month behind the charts is made up (`tests.e2e.past`).
"""

from __future__ import annotations

import base64
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.system import System, running_system, wait_until
from runtime.vault import load_vault
from tests.accounts import make_user, session_cookie
from tests.e2e.browser import Browser, open_browser
from tests.e2e.past import write_past
from tests.e2e.scenes import Act, alerting, make_files, scenes, upload_recording

SCREENS: Final = {"desktop": (1440, 900), "phone": (390, 844)}
LONGEST_PX: Final = 4000
GROUPS: Final = ("Terminal 2", "Terminal 2", "Platform 4", "Platform 4")
SETTLE_S: Final = 0.8
JUDGED: Final = 22

Pages = dict[str, tuple[str, Act]]
"""By the picture's name: the page's path, and what is done on it first."""


def main() -> None:
    """Start the system, open every page in every way, save what is seen."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:]
    with running_system() as system, tempfile.TemporaryDirectory() as profile:
        wait_until(lambda: len(system.cameras()) == len(GROUPS), 30, "the demo cameras", system)
        for number, (camera, group) in enumerate(zip(system.cameras(), GROUPS, strict=True)):
            write_past(system.redis, camera, seed=number)
            system.call("PATCH", f"/api/v1/cameras/{camera.id}", {"group": group})
        first = system.cameras()[0]
        gate = {"name": "Across", "points": [[0.1, 0.62], [0.9, 0.62]]}
        system.call("PATCH", f"/api/v1/cameras/{first.id}", {"lines": [gate]})
        wait_until(lambda: all(map(system.latest, system.cameras())), 60, "pictures", system)
        with open_browser(Path(profile)) as browser:
            _sign_in(browser, system)
            _take_all(browser, system, folder, _only(wanted, _pages(system)))
            _take_all(browser, system, folder, _only(wanted, _audit_pages(system)))
            files = make_files(system, Path(profile))
            upload_recording(browser, system, files)
            with alerting(system) as away:
                shown = _alert_pages(away) | scenes(system, files)
                _take_all(browser, system, folder, _only(wanted, shown))


def _sign_in(browser: Browser, system: System) -> None:
    port = int(system.url.rpartition(":")[2])
    user = make_user(system.redis)
    vault = load_vault(system.log.parent / "secret.key")
    browser.sign_in(system.url, session_cookie(system.redis, port, user, vault))


def _only(wanted: list[str], pages: Pages) -> Pages:
    """Those named on the command line; all when none is."""
    return {name: page for name, page in pages.items() if not wanted or name in wanted}


def _pages(system: System) -> Pages:
    """Pages as they are at first."""
    camera = system.cameras()[0].id
    paths = {
        "overview": "overview",
        "report": "reports",
        "schedules-none": "reports/schedules",
        "schedule": "reports/schedules/new",
        "wall": "wall",
        "camera": f"cameras/{camera}",
        "edit": f"cameras/{camera}/edit",
        "new": "cameras/new",
        "many": "cameras/import",
        "try": "try",
        "alerts-none": "alerts",
        "alert-rules-none": "alerts/rules",
        "alert-rule": "alerts/rules/new?kind=rate",
        "alert-channels-none": "alerts/channels",
        "alert-channel": "alerts/channels/new?kind=email",
        "alert-log-none": "alerts/log",
        "users": "settings/users",
        "keys": "settings/keys",
        "audit-log": "settings/audit",
        "account": "account",
        "api": "api",
        "sign-in": "sign-in",
    }
    return {name: (path, None) for name, path in paths.items()}


def _audit_pages(system: System) -> Pages:
    """Pages once some people were drawn and a few of them judged."""
    made = system.call("POST", "/api/v1/audits", {"group": GROUPS[0], "people": 30})
    path = f"/api/v1/audits/{made['id']}"

    def drawn() -> bool:
        return int(system.call("GET", path)["drawn"]) >= JUDGED + 2

    wait_until(drawn, 120, "people to judge", system)
    for number in range(JUDGED):
        person = system.call("GET", f"{path}/next")["person"]["id"]
        answer = "no_mask" if number % 4 == 0 else "mask"
        system.call("PUT", f"{path}/people/{person}/judgement", {"answer": answer})
    one = f"audits/{made['id']}"
    paths = {"audits": "audits", "audit": one, "audit-judge": f"{one}/judge"}
    return {name: (page, None) for name, page in paths.items()}


def _alert_pages(away: str) -> Pages:
    """Pages once a camera is away and somebody was told."""
    paths = {
        "wall-away": "wall",
        "camera-away": f"cameras/{away}",
        "alerts": "alerts",
        "alert-rules": "alerts/rules",
        "alert-channels": "alerts/channels",
        "alert-log": "alerts/log",
        "audit-more": "settings/audit",
    }
    return {name: (path, None) for name, path in paths.items()}


def _take_all(browser: Browser, system: System, folder: Path, pages: Pages) -> None:
    for screen, (width, height) in SCREENS.items():
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            for name, (path, act) in pages.items():
                _resize(browser, width, height, screen == "phone")
                browser.open(f"{system.url}/{path}")
                if name in {"wall", "wall-away", "camera"}:
                    browser.wait_for("[data-fresh=live]")
                if name == "api":
                    browser.wait_for(".opblock")
                if act is not None:
                    act(browser)
                time.sleep(SETTLE_S)
                _save(browser, width, height, folder / f"{name}-{screen}-{scheme}.png")


def _resize(browser: Browser, width: int, height: int, mobile: bool) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def _save(browser: Browser, width: int, height: int, path: Path) -> None:
    """Save the whole page, however long."""
    long = min(LONGEST_PX, max(height, int(browser.read("document.documentElement.scrollHeight"))))
    clip = {"x": 0, "y": 0, "width": width, "height": long, "scale": 1}
    options = {"format": "png", "captureBeyondViewport": True, "clip": clip}
    shot = browser.driver.execute_cdp_cmd("Page.captureScreenshot", options)
    path.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
