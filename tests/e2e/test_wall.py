"""The wall and the pages in a real browser, fed by a fake ingest and worker."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from selenium.webdriver.common.by import By

from bus.connection.loss import accept_loss
from bus.keys import JOBS_QUEUE, MISSING, probe_picture
from bus.stores.pictures import PictureStore
from contract.cameras.probes import SNAPSHOT
from contract.cameras.quality import Fitness, QualityReport
from tests.e2e.browser import Browser
from tests.e2e.conftest import sign_in
from tests.integration.test_dashboard_hub import FakeCamera, Feed, eventually, picture
from tests.integration.test_dashboard_server import Server
from tests.secret_key import cameras_of

TILES = 16
SOURCE = "rtsp://admin:s3cret@10.0.0.9/live"


pytestmark = pytest.mark.usefixtures("signed_in")


def sequences(browser: Browser) -> list[int]:
    return [
        int(number)
        for number in browser.read(
            "[...document.querySelectorAll('.tile[data-sequence]')].map(t => t.dataset.sequence)"
        )
    ]


def tile(camera: FakeCamera) -> str:
    return f".tile[data-camera='{camera.id}']"


def test_sixteen_tiles_all_move_over_one_connection(
    browser: Browser, server: Server, redis: Redis
) -> None:
    cameras = [FakeCamera(redis, f"Gate {n}") for n in range(TILES)]
    with Feed(*cameras):
        browser.open(f"{server.url}/wall")
        browser.wait(lambda: len(sequences(browser)) == TILES, "a picture on every tile")
        first = sequences(browser)
        browser.wait(
            lambda: all(b > a for a, b in zip(first, sequences(browser), strict=True)),
            "every tile moves on",
        )
        browser.wait(
            lambda: (
                len(browser.driver.find_elements(By.CSS_SELECTOR, "[data-fresh=live]")) == TILES
            ),
            "every tile is live",
        )
        assert int(redis.info("clients")["blocked_clients"]) <= 1
        counts = browser.find(f"{tile(cameras[0])} [data-part=faces] [data-verdict=no_mask] b")
        assert counts.text == "1"
    assert browser.complaints() == []


def test_an_open_wall_says_that_redis_lost_data_until_it_has_them_again(
    browser: Browser, server: Server, redis: Redis
) -> None:
    def notices() -> object:
        return browser.read("document.querySelectorAll('[data-part=redis-loss]').length")

    browser.open(f"{server.url}/wall")
    browser.wait_for("[data-link=connected]")
    assert notices() == 0
    redis.zadd(MISSING, {"run-of-before": time.time() * 1000})
    browser.wait_for("[data-part=redis-loss]")
    assert browser.find("[data-part=redis-loss]").text.startswith("Redis has lost data: cameras,")
    accept_loss(redis)
    browser.wait(lambda: notices() == 0, "and nothing is said any more")
    assert browser.complaints() == []


def test_a_tile_whose_frames_stop_never_looks_live(
    browser: Browser, server: Server, redis: Redis
) -> None:
    stopping, going = FakeCamera(redis, "Stopping"), FakeCamera(redis, "Going")
    with Feed(stopping, going) as feed:
        browser.open(f"{server.url}/wall")
        for camera in (stopping, going):
            browser.wait_for(f"{tile(camera)}[data-fresh=live]")
        feed.cameras.discard(stopping)
        stopping.set_state("stalled", error="The camera went quiet.")
        browser.wait_for(f"{tile(stopping)}[data-fresh=stale]")
        browser.wait_for(f"{tile(stopping)} [data-part=age][data-level=red]")
        cover = browser.find(f"{tile(stopping)} [data-part=cover]").text
        assert "Stalled since" in cover
        assert "The camera went quiet." in cover
        assert browser.find(tile(going)).get_attribute("data-fresh") == "live"
        feed.cameras.add(stopping)
        stopping.set_state("live")
        browser.wait_for(f"{tile(stopping)}[data-fresh=live]")


def test_a_wall_whose_dashboard_freezes_says_so_and_comes_back(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    [worker] = psutil.Process(server.process.pid).children()
    with Feed(camera):
        browser.open(f"{server.url}/wall")
        browser.wait_for(f"{tile(camera)}[data-fresh=live]")
        worker.suspend()
        try:
            browser.wait_for(f"{tile(camera)}[data-fresh=lost]")
            assert "Connection lost" in browser.find("[data-part=connection]").text
        finally:
            worker.resume()
        browser.wait_for(f"{tile(camera)}[data-fresh=live]")


def test_a_wall_outlives_a_restart_of_its_dashboard(
    browser: Browser, redis: Redis, redis_url: str
) -> None:
    camera, first = FakeCamera(redis, "Gate"), Server(redis_url)
    with Feed(camera):
        assert eventually(first.answers, 30)
        sign_in(browser, first, redis)
        browser.open(f"{first.url}/wall")
        browser.wait_for(f"{tile(camera)}[data-fresh=live]")
        first.stop()
        browser.wait_for(f"{tile(camera)}[data-fresh=lost]")
        second = Server(redis_url, first.port)
        try:
            browser.wait_for(f"{tile(camera)}[data-fresh=live]")
        finally:
            browser.open("about:blank")
            second.stop()
    browser.complaints()  # refused connections were the point; leave none for the next test


def test_only_tiles_in_sight_are_drawn(browser: Browser, server: Server, redis: Redis) -> None:
    cameras = [FakeCamera(redis, f"Gate {n:02}") for n in range(40)]
    browser.open(f"{server.url}/wall")
    browser.wait(lambda: redis.exists(cameras[0].keys.watched), "the first is watched")
    assert not redis.exists(cameras[-1].keys.watched)
    browser.read("window.scrollTo(0, document.body.scrollHeight)")
    browser.wait(lambda: redis.exists(cameras[-1].keys.watched), "the last is watched")

    def only_the_last_is_refreshed() -> bool:
        redis.delete(cameras[0].keys.watched, cameras[-1].keys.watched)
        assert eventually(lambda: redis.exists(cameras[-1].keys.watched))
        return not redis.exists(cameras[0].keys.watched)

    browser.wait(only_the_last_is_refreshed, "the first is let go")


ASKED = """(() => {
  const fetchIt = window.fetch;
  window.asked = [];
  window.fetch = (...given) => { window.asked.push(String(given[0])); return fetchIt(...given); };
})()"""


def test_tiles_ask_for_the_size_and_rate_they_are_shown_at(
    browser: Browser, server: Server, redis: Redis
) -> None:
    first, *_ = [FakeCamera(redis, f"Gate {n:02}").id for n in range(20)]
    command = "Page.addScriptToEvaluateOnNewDocument"
    script = browser.driver.execute_cdp_cmd(command, {"source": ASKED})
    try:
        browser.open(f"{server.url}/wall")
        browser.find("input[name=size][value=small]").send_keys(" ")
        browser.wait(lambda: first in asked(browser, "slow"), "a small tile is asked for seldom")
        browser.find("input[name=size][value=large]").send_keys(" ")
        browser.wait(lambda: first not in asked(browser, "slow"), "a large one is not")
        assert first in asked(browser, "cameras")
    finally:
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def asked(browser: Browser, what: str) -> str:
    """What the wall's newest connection asks for."""
    urls = [url for url in browser.read("window.asked") if url.startswith("/wall/stream")]
    query = parse_qs(urlsplit(urls[-1] if urls else "").query, keep_blank_values=True)
    return query.get(what, [""])[0]


def test_a_camera_is_tested_and_added_through_the_form(
    browser: Browser, server: Server, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.open(f"{server.url}/wall")
    browser.wait_for("#empty a").click()
    browser.wait_for("#name").send_keys("Gate 4")
    browser.find("#source").send_keys(SOURCE)
    queue = Queue(JOBS_QUEUE, connection=redis, serializer=JSONSerializer)
    refused = {"reachable": False, "error": "refused", "detail": "Nothing listens on port 554."}
    found = {"reachable": True, "width": 64, "height": 48, "snapshot_jpeg_base64": ""}

    def run(job: Job, result: dict[str, object]) -> dict[str, object]:
        PictureStore(redis).put(probe_picture(str(job.id)), {SNAPSHOT: picture(1)}, 60)
        return result

    for result, state in ((refused, "failed"), (found, "reachable")):
        browser.find("#test").click()
        assert eventually(lambda: queue.count)
        monkeypatch.setattr("rq.job.Job._execute", lambda job, result=result: run(job, result))
        SimpleWorker([queue], connection=redis, serializer=JSONSerializer).work(burst=True)
        browser.wait_for(f"#probe[data-state={state}]")
    image = "document.querySelector('#probe img').naturalWidth"
    browser.wait(lambda: browser.read(image) == 64, "the snapshot is shown")
    browser.find("#save").click()
    browser.wait(lambda: "/cameras/new" not in browser.driver.current_url, "the camera's page")
    [camera] = cameras_of(redis).all()
    assert (camera.name, camera.source) == ("Gate 4", SOURCE)
    assert browser.wait_for("h1.name").text == "Gate 4"
    assert "s3cret" not in browser.driver.page_source


def test_a_form_without_a_jobs_process_says_so_and_still_saves(
    browser: Browser, server: Server, redis: Redis
) -> None:
    browser.open(f"{server.url}/cameras/new")
    browser.find("#name").send_keys("Gate 5")
    browser.find("#source").send_keys("ftp://x")
    browser.find("#save").click()
    browser.wait_for("#source[aria-invalid=true]")
    browser.find("#source").clear()
    browser.find("#source").send_keys("demo:")
    browser.find("#test").click()
    browser.wait(lambda: "maskwatch jobs" in browser.find("#probe").text, "words about jobs")
    browser.find("#save").click()
    browser.wait(lambda: cameras_of(redis).all(), "the camera is saved")
    browser.wait_for("#toggle")  # its own page; left earlier, it would cut in on the next test


def test_a_camera_is_edited_without_its_password_switched_off_and_removed(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate", SOURCE)
    browser.open(f"{server.url}/cameras/{camera.id}/edit")
    assert browser.wait_for("#source").get_attribute("value") == "rtsp://***@10.0.0.9/live"
    browser.find("#name").send_keys(" 7")
    browser.find("#save").click()
    browser.wait(lambda: cameras_of(redis).get(camera.id).name == "Gate 7", "the new name")
    assert cameras_of(redis).get(camera.id).source == SOURCE
    browser.wait_for("#toggle").click()
    browser.wait_for(".view[data-state=disabled]")
    browser.find("#remove").click()
    assert "0 people counted" in browser.wait_for("#confirm").text
    browser.find("#really").click()
    browser.wait(lambda: not cameras_of(redis).all(), "the camera is gone")
    browser.wait_for("#empty:not([hidden])")


def test_two_operators_do_not_write_over_one_another(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate", SOURCE)
    browser.open(f"{server.url}/cameras/{camera.id}/edit")
    browser.wait_for("#name").send_keys(" 7")
    cameras_of(redis).update(camera.id, analysis_fps=4)
    browser.find("#save").click()
    browser.wait(lambda: "Somebody else changed" in browser.find("#message").text, "the words")
    assert cameras_of(redis).get(camera.id).name == "Gate"
    browser.find("#again").click()
    browser.wait(lambda: browser.find("#analysis_fps").get_attribute("value") == "4", "theirs")
    browser.find("#name").send_keys(" 7")
    browser.find("#save").click()
    browser.wait_for("#toggle")
    found = cameras_of(redis).get(camera.id)
    assert (found.name, found.analysis_fps, found.source) == ("Gate 7", 4, SOURCE)
    browser.complaints()  # a refused change is in the console


def test_a_picture_not_to_be_believed_says_so_on_the_tile_and_the_page(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera = FakeCamera(redis, "Gate")
    small = Fitness("unfit", ("too_small",), 40, 0.3, (11.0, 14.5, 19.0), 0.1, 0.2, 0.3)
    report = QualityReport({"frozen": time.time() - 60}, small)
    with Feed(camera):
        camera.commit(condition=report)
        browser.complaints()  # of the test before
        browser.open(f"{server.url}/wall")
        note = f"{tile(camera)} [data-part=trouble]"
        browser.wait(lambda: "Picture frozen since" in browser.find(note).text, "the tile says so")
        browser.open(f"{server.url}/cameras/{camera.id}")
        browser.wait(
            lambda: "Picture frozen since" in browser.find("[data-fact=quality]").text,
            "the page says so",
        )
        browser.wait(
            lambda: "faces are too small" in browser.find("#fitness [data-part=fit]").text,
            "the page says why masks cannot be measured",
        )
        assert "15 px" in browser.find("[data-fact=face-px]").text
        camera.commit(condition=QualityReport())
        browser.wait(
            lambda: browser.find("[data-fact=quality]").text == "No problems", "it is well again"
        )
        browser.wait(
            lambda: not browser.find("[data-part=trouble]").is_displayed(), "and nothing is said"
        )
    assert browser.complaints() == []


def test_a_live_stream_that_arrives_broken_says_so_on_the_tile_and_the_page(
    browser: Browser, server: Server, redis: Redis
) -> None:
    camera, words = FakeCamera(redis, "Gate"), "Pictures arrive broken: check the cable."
    trouble = f"{tile(camera)} [data-part=trouble]"
    camera.set_state("live", notice_kind="corrupt", notice=words)
    with Feed(camera):
        browser.open(f"{server.url}/wall")
        browser.wait(lambda: browser.find(trouble).text == words, "the tile says so")
        browser.open(f"{server.url}/cameras/{camera.id}")
        browser.wait(lambda: browser.find("[data-fact=error]").text == words, "the page says so")
        assert browser.find("[data-label=error]").text == "Notice"
        browser.wait(lambda: browser.find("[data-part=trouble]").text == words, "below the picture")
        camera.set_state("live")
        browser.wait(lambda: browser.find("[data-fact=error]").text == "None", "it is over")
        assert browser.find("[data-label=error]").text == "Last error"
        browser.wait(
            lambda: not browser.find("[data-part=trouble]").is_displayed(), "and nothing is said"
        )
    assert browser.complaints() == []


def shown(browser: Browser) -> list[str]:
    return list(
        browser.read(
            "[...document.querySelectorAll('.tile:not([hidden]) .name')].map(n => n.textContent)"
        )
    )


def test_a_wall_shows_one_group_or_all_under_their_names(
    browser: Browser, server: Server, redis: Redis
) -> None:
    FakeCamera(redis, "Gate 1", group="Terminal 2")
    FakeCamera(redis, "Door")
    FakeCamera(redis, "Gate 10", group="Terminal 10")
    browser.open(f"{server.url}/wall")
    browser.wait(lambda: len(shown(browser)) == 3, "three tiles")
    assert shown(browser) == ["Gate 1", "Gate 10", "Door"]
    headings = [one.text for one in browser.driver.find_elements(By.CSS_SELECTOR, ".group-heading")]
    assert headings == ["TERMINAL 2", "TERMINAL 10", "NO GROUP"]
    browser.find("#group option[value='group:Terminal 10']").click()
    assert shown(browser) == ["Gate 10"]
    browser.open(f"{server.url}/wall")
    browser.wait(lambda: shown(browser) == ["Gate 10"], "the choice is kept")
    browser.read("localStorage.clear()")


def test_a_rotating_wall_shows_page_after_page_and_hidden_tiles_cost_nothing(
    browser: Browser, server: Server, redis: Redis
) -> None:
    cameras = [FakeCamera(redis, f"Gate {n:02}") for n in range(30)]
    browser.open(f"{server.url}/wall")
    browser.wait(lambda: len(shown(browser)) == 30, "all tiles")
    browser.find("#rotate option[value='10']").click()
    first = shown(browser)
    assert len(first) < 30
    assert "Page 1 of" in browser.find("#summary").text
    last = cameras[-1].keys.watched
    browser.wait(lambda: not redis.exists(last), "the last is let go")
    browser.wait(lambda: shown(browser) not in ([], first), "the next page")
    browser.read("localStorage.clear()")
    assert browser.complaints() == []
