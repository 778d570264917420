"""The dashboard under a path of a proxy's host: all that leads somewhere stays below it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest
from flask.testing import FlaskClient
from redis import Redis

from contract.errors import SettingsError
from runtime.settings import load_settings
from tests.accounts import PASSWORD, TOKEN, accounts_of, make_app, make_key, make_user
from tests.alerts import add_rule, add_webhook
from tests.integration.test_dashboard_hub import FakeCamera

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX = "/maskwatch"
HOW = ("named", "set", "left on")
ADDRESS = re.compile(r"""(?:href|src|action|data-(?:source|document))=["']([^"'#]*)["']""")
STREAMS = ("/stream", "stream.mjpg", "/events")


class PathProxy:
    """WSGI middleware that serves the dashboard below `PREFIX`, as proxies do in three ways."""

    def __init__(self, app: WSGIApplication, how: str) -> None:
        self._app = app
        self._how = how

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path != PREFIX and not path.startswith(f"{PREFIX}/"):
            start_response("502 Another server of this host", [])
            return []
        if self._how != "left on":
            environ["PATH_INFO"] = path.removeprefix(PREFIX)
        if self._how == "named":
            environ["HTTP_X_FORWARDED_PREFIX"] = PREFIX
        return self._app(environ, start_response)


def browser(redis: Redis, how: str) -> FlaskClient:
    """A browser that has signed in below the path, by the sign-in page's own form."""
    app = make_app(redis, path_prefix="" if how == "named" else PREFIX, proxy_addresses="127.0.0.1")
    app.wsgi_app = PathProxy(app.wsgi_app, how)  # type: ignore[method-assign]
    make_user(redis)
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT"] = "text/html,*/*;q=0.8"
    asked = client.get(f"{PREFIX}/alerts")
    assert asked.location == f"{PREFIX}/sign-in?next={PREFIX}/alerts"
    page = client.get(asked.location).text
    action, token = re.search(r'<form[^>]* action="([^"]+)"', page), TOKEN.search(page)
    assert action is not None
    assert token is not None
    form = {"name": "Ada", "password": PASSWORD, "csrf_token": token[1]}
    answer = client.post(action[1], data=form)
    assert (answer.status_code, answer.location) == (302, f"{PREFIX}/alerts")
    return client


@pytest.mark.parametrize("how", HOW)
def test_every_link_form_file_and_answer_is_below_the_path(redis: Redis, how: str) -> None:
    client = browser(redis, how)
    camera = FakeCamera(redis, "Gate")
    add_rule(redis)
    add_webhook(redis, "http://127.0.0.1:9/hook")
    waiting = [f"{PREFIX}/", f"{PREFIX}/cameras/{camera.id}", f"{PREFIX}/api"]
    seen: set[str] = set()
    while waiting:
        page = waiting.pop()
        seen.add(page)
        if page.partition("?")[0].endswith(STREAMS):
            continue
        answer = client.get(page)
        assert answer.status_code not in (404, 502), page
        found = set(ADDRESS.findall(answer.text)) if answer.mimetype == "text/html" else set()
        assert {one for one in found if not one.startswith((f"{PREFIX}/", "https://"))} == set()
        waiting += {one.replace("&amp;", "&") for one in found if one[0] == "/"} - seen
    assert len(seen) > 40
    assert f"{PREFIX}/settings/users" in seen


@pytest.mark.parametrize("how", HOW)
def test_answers_to_programs_and_links_for_people_carry_the_path(redis: Redis, how: str) -> None:
    client = browser(redis, how)
    key = {"Authorization": f"Bearer {make_key(redis)}"}
    camera = {"name": "Gate", "source": "demo:seed=1"}
    made = client.post(f"{PREFIX}/api/v1/cameras", json=camera, headers=key)
    assert made.location.startswith(f"{PREFIX}/api/v1/cameras/")
    assert client.get(made.location, headers=key).json["name"] == "Gate"
    more = {**camera, "name": "Hall"}
    client.post(f"{PREFIX}/api/v1/cameras", json=more, headers=key)
    listed = client.get(f"{PREFIX}/api/v1/cameras?limit=1", headers=key).json["next"]
    assert client.get(listed, headers=key).json["cameras"][0]["name"] == "Hall"
    document = client.get(f"{PREFIX}/api/v1/openapi.json", headers=key).json
    assert document["servers"] == [{"url": PREFIX}]
    user = accounts_of(redis).users.find("Ada")
    assert user is not None
    token = TOKEN.search(client.get(f"{PREFIX}/settings/users/{user.id}").text)
    assert token is not None
    path = f"{PREFIX}/settings/users/{user.id}/link"
    page = client.post(path, data={"csrf_token": token[1]}).text
    assert f"http://localhost{PREFIX}/welcome/" in page


def test_the_cookie_goes_to_the_dashboards_path_alone(redis: Redis) -> None:
    client = browser(redis, "set")
    cookie = client.get_cookie("maskwatch_8000", path=PREFIX)
    assert cookie is not None
    assert cookie.path == PREFIX
    assert make_app(redis).test_client().get("/sign-in").headers["Set-Cookie"].count("Path=/;")


@pytest.mark.parametrize(
    ("sent", "root"),
    [
        ("/a/b", "/a/b"),
        ("/made-up, /from-proxy/", "/from-proxy"),
        ("/", ""),
        ("//evil.example", ""),
        ("/a/../b", ""),
        ("/a b", ""),
        ('/"><script>', ""),
        ("relative", ""),
        ("https://evil.example/", ""),
        ("/" + "a" * 500, ""),
    ],
)
def test_a_path_is_believed_of_proxies_only_and_only_a_plain_one(
    redis: Redis, sent: str, root: str
) -> None:
    headers = {"X-Forwarded-Prefix": sent, "Accept": "text/html"}
    for proxies, expected in (("127.0.0.1", root), ("", ""), ("192.0.2.1", "")):
        client = make_app(redis, proxy_addresses=proxies).test_client()
        assert client.get("/", headers=headers).location.startswith(f"{expected}/sign-in?")


def test_a_path_that_begins_like_one_of_ours_is_left_to_the_proxy(redis: Redis) -> None:
    client = make_app(redis, path_prefix="/cameras").test_client()
    camera = FakeCamera(redis, "Gate")
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make_key(redis)}"
    page = client.get(f"/cameras/{camera.id}").text
    assert f'href="/cameras/cameras/{camera.id}/edit"' in page


@pytest.mark.parametrize("set_to", ["maskwatch", "/a b", "/ä", "/%41", "/..", "http://host/a"])
def test_a_path_that_is_none_is_refused_with_what_was_expected(set_to: str) -> None:
    with pytest.raises(SettingsError, match="expected a path such as /maskwatch"):
        load_settings({"MASKWATCH_PATH_PREFIX": set_to})


@pytest.mark.parametrize(("set_to", "meant"), [("/maskwatch/", "/maskwatch"), ("/", "")])
def test_a_slash_at_the_end_of_the_path_does_not_matter(set_to: str, meant: str) -> None:
    assert load_settings({"MASKWATCH_PATH_PREFIX": set_to}).path_prefix == meant


HTTP = {"Accept": "text/html", "Origin": "http://wall.lan"}


@pytest.mark.parametrize(
    ("headers", "settings", "words"),
    [
        (HTTP, {}, "proxy_set_header Host $http_host"),
        ({**HTTP, "Origin": "http://localhost:8080"}, {}, "http://localhost:8080"),
        ({**HTTP, "X-Forwarded-Host": "wall.lan"}, {}, "MASKWATCH_PROXY_ADDRESSES"),
        ({"Accept": "text/html"}, {}, "allow cookies"),
        (
            {"Accept": "text/html"},
            {"behind_proxy": True, "proxy_addresses": "127.0.0.1"},
            "https://",
        ),
    ],
)
def test_a_sign_in_that_fails_because_of_the_proxy_says_so_on_a_page(
    redis: Redis, headers: dict[str, str], settings: dict[str, Any], words: str
) -> None:
    make_user(redis)
    client = make_app(redis, **settings).test_client(use_cookies=False)
    form = {"name": "Ada", "password": PASSWORD}
    answer = client.post("/sign-in", data=form, headers=headers)
    assert answer.status_code in (400, 403)
    assert answer.mimetype == "text/html"
    assert words in answer.text
    program = client.post("/sign-in", data=form, headers={**headers, "Accept": "*/*"})
    assert program.json["error"] in {"cross_site", "forged"}


def test_a_name_that_nobody_set_is_refused_on_a_page(redis: Redis) -> None:
    client = make_app(redis).test_client()
    host = {"Host": "wall.example.org", "Accept": "text/html"}
    answer = client.get("/", headers=host)
    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "MASKWATCH_TRUSTED_HOSTS=wall.example.org" in answer.text
    assert client.get("/static/maskwatch.css", headers=host).status_code == 200
