"""What every page says by itself: open alerts, and API keys that are about to end."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from redis import Redis

from contract.accounts.grants import Role
from contract.cameras.camera import make_camera
from contract.errors import CameraFieldsError
from tests.accounts import accounts_of, make_app, make_user
from tests.builders import add_camera
from tests.integration.test_dashboard_alerts import browser_of, open_one

PAGES = ("/wall", "/alerts", "/cameras/new", "/account")


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


def demote(redis: Redis, grants: dict[str, Role]) -> None:
    """Give Ada other roles, beside another administrator."""
    make_user(redis, "Grace")
    users = accounts_of(redis).users
    ada = users.find("Ada")
    assert ada is not None
    users.update(ada, grants=grants)


def test_open_alerts_are_counted_on_every_page_for_those_who_may_see_them(
    app: Flask, redis: Redis
) -> None:
    browser, _ = browser_of(app, redis)
    badge = re.compile(r'data-part="badge">(\d+)<')
    assert [badge.findall(browser.get(page).text) for page in PAGES] == [[]] * len(PAGES)
    add_camera(redis, "Gate", group="Terminal 2")
    add_camera(redis, "Door")
    open_one(redis)
    assert [badge.findall(browser.get(page).text) for page in PAGES] == [["2"]] * len(PAGES)
    grants: dict[str, Role] = {"Terminal 2": "operator"}
    demote(redis, grants)
    assert badge.findall(browser.get("/wall").text) == ["1"]


@pytest.mark.parametrize(("days", "warned"), [(13.5, True), (1.0, True), (30.0, False)])
def test_administrators_are_warned_of_a_key_that_ends_soon(
    app: Flask, redis: Redis, days: float, warned: bool
) -> None:
    accounts_of(redis).api_keys.add("Prometheus", {}, days, made_by="Ada", metrics=True)
    browser, _ = browser_of(app, redis)
    for page in (*PAGES, "/settings/keys"):
        assert ("The API key Prometheus ends in" in browser.get(page).text) is warned
    demote(redis, {"*": "operator"})
    assert "The API key Prometheus" not in browser.get("/wall").text


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("rstp:/10.0.0.9/live", "rtsp://"),
        ("rstp://u:s3cret@10.0.0.9/live", "rtsp://"),
        ("rtps://10.0.0.9/", "rtsp"),
        ("htps:/cam.lan/x.m3u8", "http"),
        ("rtsp;//10.0.0.9/", "rtsp://"),
    ],
)
def test_a_misspelt_type_of_address_is_refused_with_the_one_that_was_meant(
    source: str, meant: str
) -> None:
    with pytest.raises(CameraFieldsError) as refused:
        make_camera(name="Gate", source=source)
    words = str(refused.value)
    assert "misspelt" in words
    assert meant in words
    assert "s3cret" not in words
