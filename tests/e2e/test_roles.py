"""No page offers somebody a link, a form or a button that would be refused."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

import pytest
from redis import Redis

from bus.stores.cameras import CameraRegistry
from contract.accounts.grants import EVERYWHERE, Role
from contract.errors import CameraNotFoundError
from dashboard.accounts.access import rule_of
from dashboard.accounts.identity import Identity
from tests.accounts import make_app, make_user, session_cookie
from tests.alerts import add_rule
from tests.e2e.browser import Browser
from tests.integration.test_dashboard_hub import FakeCamera, Feed
from tests.integration.test_dashboard_server import Server

HERE, THERE = "Terminal 2", "Platform 4"
GRANTS: dict[str, dict[str, Role]] = {
    "a viewer": {EVERYWHERE: "viewer"},
    "an operator of one group": {EVERYWHERE: "viewer", HERE: "operator"},
    "an administrator of one group": {EVERYWHERE: "viewer", HERE: "administrator"},
    "an administrator": {EVERYWHERE: "administrator"},
}
SCRIPTED: dict[str, tuple[set[str], set[str]]] = {
    "a viewer": (set(), set()),
    "an operator of one group": ({"draw", "toggle"}, set()),
    "an administrator of one group": ({"draw", "toggle", "remove"}, set()),
    "an administrator": ({"draw", "toggle", "remove"}, {"draw", "toggle", "remove"}),
}
"""Buttons of a camera's page that scripts act on, for a camera here and one there."""
MOST_ALIKE = 4
"""Pages opened of one path, with other queries: of weeks and months there is no end."""
LINKS = "[...document.links].map(link => link.href)"
FORMS = (
    "[...document.forms].filter(form => form.method === 'post')"
    ".map(form => form.getAttribute('action') || location.pathname)"
)
BUTTONS = (
    "[...document.querySelectorAll('#toggle, #remove, [data-act=draw]')]"
    ".map(button => button.id || button.dataset.act)"
)
STATUS = (
    "fetch(arguments[0], {method: 'HEAD'})"
    ".then(answer => [answer.status, answer.headers.get('content-type')])"
)


@pytest.mark.parametrize("who", GRANTS)
def test_no_page_offers_what_would_be_refused(
    browser: Browser, server: Server, redis: Redis, who: str
) -> None:
    cameras = [FakeCamera(redis, "Gate", group=HERE), FakeCamera(redis, "Door", group=THERE)]
    rules = [add_rule(redis, "offline", one.camera.name, camera_id=one.id) for one in cameras]
    user = make_user(redis, "Grace", **GRANTS[who])
    identity = Identity("user", user.id, user.name, user.may())
    refused: list[str] = []
    forms: set[str] = set()
    with Feed(*cameras):
        browser.sign_in(server.url, session_cookie(redis, server.port, user))
        seen: set[str] = set()
        paths: Counter[str] = Counter()
        todo = [f"{server.url}/wall"]
        while todo:
            url = todo.pop()
            status, kind = browser.read(STATUS, url)
            if status >= 400:
                refused.append(f"{status} {url}")
            if status >= 400 or not kind.startswith("text/html"):
                continue
            browser.open(url)
            if url == f"{server.url}/wall":
                _await_tiles(browser, len(cameras))
            forms |= set(browser.read(FORMS))
            found = {link.partition("#")[0] for link in browser.read(LINKS)} - seen
            seen |= found
            for link in sorted(found):
                paths[link.partition("?")[0]] += 1
                if link.startswith(server.url) and paths[link.partition("?")[0]] <= MOST_ALIKE:
                    todo.append(link)
        buttons = []
        for camera in cameras:
            browser.open(f"{server.url}/cameras/{camera.id}")
            buttons.append(set(browser.read(BUTTONS)))
    assert refused == []
    assert [form for form in forms if not _admitted(redis, identity, form)] == []
    changeable = [any(rule.id in form for form in forms) for rule in rules]
    assert changeable == ["toggle" in there for there in SCRIPTED[who]]
    assert tuple(buttons) == SCRIPTED[who]
    assert {f"{server.url}/cameras/{camera.id}" for camera in cameras} <= seen
    assert (f"{server.url}/settings/audit" in seen) is (who == "an administrator")
    browser.open("about:blank")


def _await_tiles(browser: Browser, count: int) -> None:
    tiles = "document.querySelectorAll('.tile-link[href]').length"
    browser.wait(lambda: browser.read(tiles) == count, "the tiles")


def _admitted(redis: Redis, identity: Identity, action: str) -> bool:
    """Whether the address that a form is sent to admits this person."""
    app = make_app(redis)
    endpoint, named = app.url_map.bind("").match(urlsplit(action).path, method="POST")
    rule = rule_of(app.view_functions[endpoint])
    assert rule is not None, endpoint
    try:
        camera_id = named.get("camera_id")
        camera = CameraRegistry(redis).get(camera_id) if camera_id else None
    except CameraNotFoundError:
        return False
    return rule.admits(identity, camera)
