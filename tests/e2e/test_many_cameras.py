"""A file of cameras brought through the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from tests.builders import add_camera, count_people
from tests.e2e.browser import Browser
from tests.integration.test_dashboard_server import Server
from tests.secret_key import cameras_of

SOURCE = "rtsp://u:s3cret@10.0.0.9/live"

pytestmark = pytest.mark.usefixtures("signed_in")


def test_a_file_is_tried_first_and_changes_cameras_only_when_told_to(
    browser: Browser, server: Server, redis: Redis, tmp_path: Path
) -> None:
    gate = add_camera(redis, "Gate", source=SOURCE)
    sheet = tmp_path / "cameras.csv"
    sheet.write_text(
        f"id;name;source;analysis_fps\n{gate.id};Gate West;rtsp://***@10.0.0.9/live;4\n"
        ";Hall;demo:;8\n;Door;ftp://10.0.0.9/;8\n"
    )
    browser.open(f"{server.url}/cameras/import")
    browser.find("#file").send_keys(str(sheet))
    browser.wait_for("#rows tr[data-outcome=refused]")
    words = browser.find("#rows").text
    assert "name: Gate → Gate West" in words
    assert "analysis_fps: 8 → 4" in words
    assert "sources of type ftp:// are not supported" in words
    assert browser.find("#summary").text == "3 cameras: 1 added, 1 changed, 1 refused"
    assert not browser.find("#apply").is_displayed()
    assert [camera.name for camera in cameras_of(redis).all()] == ["Gate"]

    browser.find("#partial").click()
    browser.wait(lambda: browser.find("#apply").is_displayed(), "the button to apply")
    assert browser.find("#apply").text == "Apply 2 changes"
    browser.find("#apply").click()
    browser.wait(lambda: browser.find("#plan-title").text.upper() == "APPLIED CHANGES", "done")
    found = cameras_of(redis).all()
    assert [(camera.name, camera.source) for camera in found] == [
        ("Gate West", SOURCE),
        ("Hall", "demo:"),
    ]

    browser.find("#remove-missing").click()
    assert not browser.find("#partial").is_selected()
    count_people(redis, gate.id, mask=40, no_mask=1)
    sheet.write_text("name\nHall\n")
    browser.find("#file").send_keys(str(sheet))
    browser.wait_for("#rows tr[data-outcome=removed]")
    assert len(cameras_of(redis).all()) == 2
    assert browser.find("#losses-names").text == "Gate West: 41 people counted"
    assert not browser.find("#apply").is_enabled(), "the file alone removes nothing"
    browser.find("#sure").click()
    browser.find("#apply").click()
    browser.wait(lambda: len(cameras_of(redis).all()) == 1, "it goes once that was confirmed")
    assert browser.complaints() == []


def test_a_refused_row_comes_first_and_a_long_error_leaves_room_for_names(
    browser: Browser, server: Server, redis: Redis, tmp_path: Path
) -> None:
    sheet = tmp_path / "cameras.csv"
    long = f"nobody://{'x' * 900}/"
    name = "The second entrance of Terminal 2"
    sheet.write_text(f"name;source\nHall;demo:\n{name};demo:\nDoor;{long}\n")
    browser.open(f"{server.url}/cameras/import")
    browser.find("#file").send_keys(str(sheet))
    browser.wait_for("#rows tr[data-outcome=refused]")
    assert browser.find("#rows tbody tr").get_attribute("data-outcome") == "refused"
    width = "document.querySelector('#rows tbody tr td:nth-child(2)').clientWidth"
    assert browser.read(width) > 200
    assert browser.read("document.documentElement.scrollWidth <= innerWidth")
