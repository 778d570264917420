"""A real RTSP camera from its registration to the wall, with the whole system behind the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.system import System, running_system
from runtime.vault import load_vault
from tests.accounts import make_user, session_cookie
from tests.e2e.browser import Browser
from tests.servers.clips import make_clip
from tests.servers.rtsp import rtsp_server, with_login

USER, PASSWORD = "admin", "p@ss:/w#rd"  # of a camera that lives for this test
ALL_LIVE = (
    "[...document.querySelectorAll('.wall .tile')].map(tile => tile.dataset.fresh).join() "
    "=== 'live,live'"
)
ALL_STALE = ALL_LIVE.replace("live,live", "stale,stale")
# Looks each 50 ms how old a picture is said to be that is shown as live.
WATCH = """(() => {
  window.oldestLive = 0;
  setInterval(() => {
    for (const tile of document.querySelectorAll(".wall .tile[data-fresh=live]")) {
      const age = parseFloat(tile.querySelector("[data-part=age]").textContent) || 0;
      window.oldestLive = Math.max(window.oldestLive, age);
    }
  }, 50);
})()"""


@pytest.fixture(scope="module")
def camera_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    clip = make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", size=(640, 360))
    with rtsp_server({"live": clip}, USER, PASSWORD) as url:
        yield f"{url}/live"


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    with running_system({"CAMERAS": "hall=demo:seed=5"}) as started:
        yield started


@pytest.fixture(autouse=True)
def signed_in(browser: Browser, system: System) -> Iterator[None]:
    port = int(system.url.rpartition(":")[2])
    user = make_user(system.redis)
    vault = load_vault(system.log.parent / "secret.key")
    browser.sign_in(system.url, session_cookie(system.redis, port, user, vault))
    yield
    browser.open("about:blank")


def test_a_camera_is_tested_with_a_wrong_and_the_right_password_goes_live_and_survives_its_ingest(
    browser: Browser, system: System, camera_url: str
) -> None:
    browser.open(f"{system.url}/cameras/new")
    browser.find("#name").send_keys("Gate 4")
    browser.find("#source").send_keys(with_login(camera_url, USER, "guessed"))
    browser.find("#test").click()
    browser.wait_for("#probe[data-state=failed]")
    assert steps(browser) == ["done", "done", "failed", "open", "open"]
    words = browser.find("#probe").text
    assert "refuses the user name or password" in words
    assert "guessed" not in words

    browser.find("#source").clear()
    browser.find("#source").send_keys(camera_url.replace("//", f"//{USER}:{PASSWORD}@"))
    browser.find("#test").click()
    browser.wait_for("#probe[data-state=reachable]")
    assert steps(browser) == ["done"] * 5
    image = "document.querySelector('#probe img').naturalWidth"
    browser.wait(lambda: browser.read(image) == 640, "the snapshot is shown")
    words = browser.find("#probe").text
    assert "640 \N{MULTIPLICATION SIGN} 360" in words
    assert "25.0 frames per second" in words
    assert "h264" in words
    assert "at least 30 px high: 1/12 of the picture" in words
    browser.find("#save").click()
    browser.wait_for(".view[data-fresh=live]")
    assert PASSWORD not in browser.driver.page_source

    browser.open(f"{system.url}/wall")
    browser.wait(lambda: browser.read(ALL_LIVE), "both tiles are live")
    browser.driver.execute_script(WATCH)
    for role in ("ingest", "ingest child"):
        for process in system.processes().get(role, []):
            process.kill()
    browser.wait(lambda: browser.read(ALL_STALE), "both tiles are stale")
    browser.wait(lambda: browser.read(ALL_LIVE), "both tiles are live again")
    assert 0 < browser.read("window.oldestLive") <= 3, "an old picture was shown as live"


def steps(browser: Browser) -> list[str]:
    lines = "[...document.querySelectorAll('#probe li[data-step]')]"
    return list(browser.read(f"{lines}.map(line => line.dataset.state)"))
