"""What of a camera's address leaves the dashboard, and for whom."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from ingest.process.connection_state import ConnectionState
from ingest.reach.address import parse_source
from ingest.reach.errors import no_video
from tests.accounts import accounts_of, key_client, make_app
from tests.builders import cameras_of, everything_in

API = "/api/v1/cameras"
ADDRESSES = {
    "rtsp://10.0.0.9:554/user=admin_password=Xq7_channel=1/live": "rtsp://10.0.0.9:554/***/live",
    "http://adm:Xq7@10.0.0.9:8080/video?pw=Xq7": "http://***@10.0.0.9:8080/video?pw=***",
    "rtsp://10.0.0.9:7447/hXq7pLm2vT9k": "rtsp://10.0.0.9:7447/***",
}
"""Addresses with a secret, and their form for whoever may change the camera."""


@pytest.fixture
def app(redis: Redis) -> Flask:
    return make_app(redis)


def registered(app: Flask, redis: Redis, source: str) -> tuple[FlaskClient, str]:
    operator = key_client(app, redis, "operator")
    answer = operator.post(API, json={"name": "Gate", "source": source})
    assert answer.status_code == 201, answer.text
    return operator, f"{API}/{answer.json['id']}"


@pytest.mark.parametrize(("source", "shown"), ADDRESSES.items())
def test_viewers_see_scheme_and_host_and_operators_the_plain_words(
    app: Flask, redis: Redis, source: str, shown: str
) -> None:
    operator, path = registered(app, redis, source)
    public = f"{source.partition(':')[0]}://10.0.0.9/***"
    viewer = key_client(app, redis, "viewer")
    page = path.removeprefix("/api/v1")
    for client, wanted in ((operator, shown), (viewer, public)):
        assert client.get(path).json["source"] == wanted
        assert client.get(API).json["cameras"][0]["source"] == wanted
        for place in (page, f"{API}/export?format=csv", f"{API}/export?format=yaml"):
            assert f"{wanted}" in client.get(place).text, place
        for place in (API, path, page, f"{API}/export", "/wall", "/metrics", f"{path}/people"):
            text = client.get(place).text
            assert "Xq7" not in text, place
            assert client is operator or ":554" not in text.replace(public, ""), place
    assert "Xq7" not in operator.get(f"{page}/edit").text
    assert b"Xq7" not in everything_in(redis)


@pytest.mark.parametrize("source", ADDRESSES)
@pytest.mark.parametrize("role", ["operator", "viewer"])
def test_an_address_that_comes_back_as_it_was_shown_is_kept(
    app: Flask, redis: Redis, source: str, role: str
) -> None:
    operator, path = registered(app, redis, source)
    reader = key_client(app, redis, role)  # type: ignore[arg-type]
    seen = reader.get(path).json["source"]
    assert operator.patch(path, json={"source": seen, "name": "Gate 2"}).status_code == 200
    exported = reader.get(f"{API}/export?format=csv").data.replace(b"Gate 2", b"Gate 3")
    assert operator.post(f"{API}/import?format=csv", data=exported).status_code == 200
    [camera] = cameras_of(redis).all()
    assert (camera.name, camera.source) == ("Gate 3", source)
    changed = operator.patch(path, json={"source": seen.replace("10.0.0.9", "10.0.0.8")})
    assert changed.status_code == 422


def test_whoever_may_not_change_a_camera_cannot_try_whether_an_address_is_its_own(
    app: Flask, redis: Redis
) -> None:
    source = next(iter(ADDRESSES))
    registered(app, redis, source)
    other = app.test_client()
    key = accounts_of(redis).api_keys.add("mixed", {"*": "viewer", "T1": "operator"}, 1, "a test")
    other.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key[1]}"
    answers = [
        other.post(f"{API}/import?format=csv&dry_run=1", data=f"name,source\nGate,{guess}\n").json
        for guess in (source, source.replace("Xq7", "guess"))
    ]
    assert answers[0]["cameras"][0] == answers[1]["cameras"][0]
    assert answers[0]["counts"]["refused"] == 1


def test_a_cameras_error_tells_everybody_no_more_than_its_host() -> None:
    state = ConnectionState("ingest")
    address = parse_source(next(iter(ADDRESSES)))
    state.lost(no_video(address, "x" * 100_000))
    words = state.status().error
    assert words.startswith("expected video at rtsp://10.0.0.9/***, found xxx")
    assert len(words) <= 1000
