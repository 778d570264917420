"""Pages with something on them: what is set up, typed or brought before a picture is taken.

All of it comes from demo cameras, so that no picture shows anybody who passed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from selenium.webdriver.common.by import By

from benchmarks.scenes.films import write_demo_film
from benchmarks.system import System, free_port, wait_until
from tests.accounts import accounts_of
from tests.e2e.browser import Browser
from tests.servers.receiver import receiver

FILM_S: Final = 40.0
ANALYSED_S: Final = 240
"""Machines that train beside it take minutes."""
OFFLINE: Final = {"kind": "offline", "for_s": 5, "clear_s": 30}
RATE: Final = {"kind": "rate", "below": 0.8, "minutes": 15, "people": 20, "margin": 0.05}
NIGHT: Final = {"days": ["fri", "sat"], "begin": "22:00", "end": "06:00", "tz": "Europe/Berlin"}


Act = Callable[[Browser], None] | None
"""What is done on a page before its picture is taken."""


@dataclass(frozen=True)
class Files:
    """What is brought to pages that take files."""

    image: Path
    recording: Path
    cameras: Path


def make_files(system: System, folder: Path) -> Files:
    """A picture and a film of a demo scene, and a file of cameras with mistakes."""
    camera = system.cameras()[0]
    image, cameras = folder / "concourse.jpg", folder / "cameras.csv"
    image.write_bytes(system.get(f"/cameras/{camera.id}/snapshot.jpg"))
    cameras.write_text(
        f"id;name;source;analysis_fps\n{camera.id};Concourse west;{camera.source};4\n"
        ";Arrivals hall;rtsp://viewer:secret@10.0.0.9/live;8\n;Door;ftp://10.0.0.9/;8\n"
    )
    film = write_demo_film("demo:seed=3&people=6", folder / "concourse.mp4", FILM_S, fps=10)
    return Files(image, film, cameras)


@contextmanager
def alerting(system: System) -> Iterator[str]:
    """A camera that is offline, rules, a channel and its messages; yields that camera's id."""
    with receiver() as hook:
        to = {"kind": "webhook", "name": "Control room", "url": f"{hook.url}/hook"}
        channel = system.call("POST", "/api/v1/alerts/channels", to)["id"]
        system.call("POST", f"/api/v1/alerts/channels/{channel}/test")
        for name, when, more in (
            ("Masks at the gates", RATE, {"group": "Terminal 2", "schedule": NIGHT}),
            ("Camera away", OFFLINE, {"channels": [channel]}),
        ):
            system.call("POST", "/api/v1/alerts/rules", {"name": name, "when": when, **more})
        away = {"name": "Arrivals door", "source": f"rtsp://127.0.0.1:{free_port()}/live"}
        camera_id = str(system.call("POST", "/api/v1/cameras", away)["id"])
        wait_until(lambda: len(hook.got) >= 2, 60, "an alert that is delivered", system)
        yield camera_id


def scenes(system: System, files: Files) -> dict[str, tuple[str, Act]]:
    """Pictures by name: the page's path, and what is done on it first."""
    camera = next(one.id for one in system.cameras() if one.source.startswith("demo:"))
    accounts = accounts_of(system.redis)
    user = accounts.users.all()[0].id
    return {
        "camera-drawing": (f"cameras/{camera}", _draw),
        "new-tested": ("cameras/new", _test(f"http://127.0.0.1:{free_port()}/video")),
        "new-tested-well": ("cameras/new", _test("demo:seed=5")),
        "many-tried": ("cameras/import", _bring(files.cameras, "#rows tr[data-outcome]")),
        "try-looked-at": ("try", _bring(files.image, "#uploads table tbody tr", "#files")),
        "try-webcam": ("try/webcam", None),
        "recordings": ("try/recordings", _wait("#recordings tr[data-state=finished]")),
        "recording": ("try/recordings", _read_recording),
        "user": (f"settings/users/{user}", None),
        "welcome": (accounts.links.create(user).lstrip("/"), None),
        "not-found": ("cameras/gone", None),
    }


def upload_recording(browser: Browser, system: System, files: Files) -> None:
    """Have the film analysed; it is this browser's account's."""
    browser.open(f"{system.url}/try/recordings")
    browser.wait_for("#file").send_keys(str(files.recording))
    done = (By.CSS_SELECTOR, "#recordings tr[data-state=finished]")
    wait_until(lambda: browser.driver.find_elements(*done), ANALYSED_S, "the recording", system)


def _draw(browser: Browser) -> None:
    browser.wait_for("#timeline svg")  # by then the button does something
    browser.find("[data-act=draw]").click()
    browser.wait_for("[data-mode=draw]")


def _wait(selector: str) -> Callable[[Browser], None]:
    return lambda browser: _found(browser, selector)


def _bring(path: Path, result: str, chooser: str = "#file") -> Callable[[Browser], None]:
    def act(browser: Browser) -> None:
        browser.wait_for(chooser).send_keys(str(path))
        _found(browser, result)

    return act


def _test(source: str) -> Callable[[Browser], None]:
    def act(browser: Browser) -> None:
        browser.wait_for("#name").send_keys("Gate 4")
        browser.find("#source").send_keys(source)
        browser.find("#test").click()
        busy = {"idle", "queued", "running"}
        state = browser.find("#probe").get_attribute
        browser.wait(lambda: state("data-state") not in busy, "the test's end")

    return act


def _read_recording(browser: Browser) -> None:
    browser.wait_for("#recordings tr[data-state=finished] a").click()
    _found(browser, "#timeline svg")


def _found(browser: Browser, selector: str) -> None:
    browser.wait_for(selector)
