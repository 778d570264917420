"""Try it in a real browser, with the real networks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from redis import Redis
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from skimage import data

from bus.keys import IMAGES_QUEUE, RECORDINGS_QUEUE, UPLOADED_PICTURES
from bus.stores.cameras import CameraRegistry
from tests.accounts import make_user, session_cookie
from tests.e2e.browser import open_browser
from tests.integration.test_dashboard_hub import eventually
from tests.integration.test_dashboard_server import ROOT, Server


@contextmanager
def stage(name: str, redis_url: str) -> Iterator[None]:
    """One stage's real process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "maskwatch", name],
        cwd=ROOT,
        env={**os.environ, "MASKWATCH_REDIS_URL": redis_url},
    )
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(30) == 0


def portrait(folder: Path) -> Path:
    """The public-domain portrait that scikit-image ships."""
    path = folder / "portrait.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR))
    return path


def test_images_are_chosen_judged_downloaded_and_removed(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(portrait(tmp_path).read_bytes()[:9000])
    server = Server(redis_url)
    queue = Queue(IMAGES_QUEUE, connection=redis, serializer=JSONSerializer)
    with stage("images", redis_url), open_browser(tmp_path / "browser") as browser:
        assert eventually(server.answers, 30)
        assert eventually(lambda: Worker.count(queue=queue), 30)
        browser.sign_in(server.url, session_cookie(redis, server.port, make_user(redis)))
        browser.open(f"{server.url}/try")
        browser.wait_for("#files").send_keys(f"{portrait(tmp_path)}\n{torn}")
        browser.wait_for(".upload[data-state=finished]")
        rows = browser.find(".upload[data-state=finished] tbody").text
        assert "No mask" in rows
        width = "document.querySelector('.upload[data-state=finished] img').naturalWidth"
        browser.wait(lambda: browser.read(width) == 512, "the annotated picture is shown")
        browser.wait_for(".upload[data-state=refused]")
        assert "cut off or damaged" in browser.find(".upload[data-state=refused]").text
        done = ".upload[data-state=finished]"
        saved = browser.find(f"{done} [data-part=save-picture]").get_attribute("href")
        assert "/api/v1/uploads/" in saved
        browser.find(f"{done} [data-part=remove]").click()
        browser.wait(lambda: not browser.driver.find_elements(By.CSS_SELECTOR, done), "card gone")
        assert not list(redis.scan_iter(UPLOADED_PICTURES))
        refusals = [words for words in browser.complaints() if "422" not in words]
        assert refusals == []
        browser.open("about:blank")
    server.stop()


def fake_webcam(folder: Path) -> tuple[str, str, str]:
    """Arguments that give Chromium the portrait for a webcam."""
    image = cv2.imread(str(portrait(folder)))
    clip = folder / "webcam.mjpeg"
    frames = [cv2.imencode(".jpg", np.roll(image, shift, axis=1))[1].tobytes() for shift in (0, 4)]
    clip.write_bytes(b"".join(frames * 10))
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    )


def test_a_webcam_is_watched_with_its_latency_and_leaves_nothing(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    server = Server(redis_url)
    with (
        stage("worker", redis_url),
        open_browser(tmp_path / "browser", *fake_webcam(tmp_path)) as browser,
    ):
        assert eventually(server.answers, 30)
        browser.sign_in(server.url, session_cookie(redis, server.port, make_user(redis)))
        browser.open(f"{server.url}/try/webcam")
        browser.wait_for("#start").click()
        browser.wait_for("#webcam[data-latency-ms]")
        assert "ms" in browser.find("[data-part=latency]").text
        face = "[data-part=faces] [data-verdict=no_mask] b"
        browser.wait(lambda: browser.find(face).text == "1", "the face is judged")
        assert browser.read("document.getElementById('picture').width") >= 512
        camera_id = browser.find("#webcam").get_attribute("data-camera")
        assert list(redis.scan_iter(f"*{camera_id}*"))
        browser.open(f"{server.url}/try")  # leaves the page
        assert eventually(lambda: not CameraRegistry(redis).all())
        assert eventually(lambda: not list(redis.scan_iter(f"*{camera_id}*")))
        assert browser.complaints() == []
        browser.open("about:blank")
    server.stop()


def film(folder: Path) -> Path:
    """Eight seconds of the portrait moving through the picture."""
    image = cv2.imread(str(portrait(folder)))
    path = folder / "portrait.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 512, 512, "yuv420p"
        for number in range(80):
            picture = np.roll(image, number * 3, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    return path


def test_a_recording_is_uploaded_followed_and_read(
    redis: Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKWATCH_RECORDINGS_DIR", str(tmp_path / "kept"))
    server = Server(redis_url, recordings_dir=str(tmp_path / "kept"))
    queue = Queue(RECORDINGS_QUEUE, connection=redis, serializer=JSONSerializer)
    with stage("recordings", redis_url), open_browser(tmp_path / "browser") as browser:
        assert eventually(server.answers, 30)
        assert eventually(lambda: Worker.count(queue=queue), 30)
        browser.sign_in(server.url, session_cookie(redis, server.port, make_user(redis)))
        browser.open(f"{server.url}/try/recordings")
        browser.wait_for("#file").send_keys(str(film(tmp_path)))
        browser.wait_for("#recordings tr[data-state=finished] a").click()
        browser.wait_for("#recording[data-state=shown]")
        assert "portrait.mp4" in browser.find("h1").text
        assert "No mask" in browser.find("[data-part=people]").text
        chart = browser.wait_for("#timeline [data-part=chart] svg").find_element(By.XPATH, "..")
        chart.send_keys(Keys.HOME)
        assert browser.find("#timeline .tip").text.startswith("0:00 to 0:05")
        assert "times real time" in browser.find("[data-part=facts]").text
        assert len(list((tmp_path / "kept").glob("*.mp4"))) == 1
        player = "document.querySelector('video').readyState"
        browser.wait(lambda: browser.read(player) >= 1, "the annotated video can be played")
        browser.read("scrollTo(0, 0)")
        browser.find("#remove").click()
        browser.wait_for("#confirm #really").click()
        browser.wait(lambda: browser.driver.current_url.endswith("/try/recordings"), "the list")
        assert list((tmp_path / "kept").iterdir()) == []
        assert browser.complaints() == []
        browser.open("about:blank")
    server.stop()
