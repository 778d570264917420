"""The leak scan finds what it looks for, however it is written."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from benchmarks.secrecy.secrets_seen import Places, forms

SECRET = 'p@ss:w/rd?#1% "<ü'  # noqa: S105 - a made-up one


@pytest.mark.parametrize(
    "text",
    [
        f"opened rtsp://u:{SECRET}@host",
        f"rtsp://u:{quote(SECRET, safe='')}@host",
        f"name=x&password={quote_plus(SECRET)}",
        json.dumps({"source": SECRET}),
        f"<input value='{html.escape(SECRET)}'>",
        base64.b64encode(f"u:{SECRET}".encode()).decode(),
        base64.b64encode(f"user:{SECRET} and more".encode()).decode(),
        base64.urlsafe_b64encode(f"us:{SECRET}!".encode()).decode(),
        SECRET.encode().hex(),
        f"rtsp://h/user=admin_password={SECRET}_channel=1",
        f"http://h/live?pw={quote(SECRET)}",
        f"rtsp%3A%2F%2Fh%2F{quote(SECRET, safe='')}",
    ],
)
def test_a_secret_is_found_in_every_form(text: str) -> None:
    places = Places()
    places.add("the log", "nothing here")
    places.add("Redis", text)
    assert places.leaks({"a password": SECRET}) == ["a password in Redis"]


def test_what_is_not_there_is_not_found() -> None:
    places = Places()
    places.add("the log", "rtsp://***@host and " + quote("p@ss:w/rd?#2"))
    assert places.leaks({"a password": SECRET}) == []
    assert all(len(form) >= 6 for form in forms(SECRET))
