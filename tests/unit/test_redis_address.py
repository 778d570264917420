"""Addresses of Redis as people type them, with passwords from generators."""

from __future__ import annotations

import string
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import parse_url

from bus.connection.client import check_server, connect, server_name
from contract.errors import RedisUnavailableError, SettingsError
from runtime.redis_address.cluster import parse_cluster
from runtime.redis_address.sentinels import parse_sentinel
from runtime.settings import load_settings
from tests.servers.redis_process import RedisProcess

RAW = (
    "p@ss",
    "p:ss",
    "p/ss",
    "p#ss",
    "p?ss",
    "p%ss",
    "@",
    "a/b@c:d#e?f%g",
    "12/3",
    "p ss",
    "Ü&=,;",
)
PASSWORDS = st.text(string.printable.strip() + " äß東", min_size=1, max_size=20)


def url_of(text: str) -> str:
    url = load_settings({"MASKWATCH_REDIS_URL": text}).redis_url
    assert url is not None
    return url


def in_clear(password: str) -> str:
    """The password as meant: `%41` is an encoded letter, in every address."""
    return password.replace("%", "%25")


@pytest.mark.parametrize("password", RAW)
def test_a_raw_password_arrives_whole_at_each_kind_of_redis(password: str) -> None:
    plain = parse_url(url_of(f"redis://ada:{password}@h:6379/3"))
    assert plain == {
        "username": "ada",
        "password": password,
        "host": "h",
        "port": 6379,
        "db": 3,
    }
    assert parse_url(url_of(f"unix://:{password}@/run/redis.sock?db=2"))["password"] == password
    sentinel = parse_sentinel(url_of(f"redis+sentinel://ada:{password}@a,b:26380/main/1"))
    assert (sentinel.server["password"], sentinel.service) == (password, "main")
    assert parse_cluster(url_of(f"redis+cluster://ada:{password}@a:7000,b/")).login == {
        "username": "ada",
        "password": password,
    }


@given(PASSWORDS)
def test_any_password_arrives_whole_raw_or_encoded(password: str) -> None:
    encoded = parse_url(url_of(f"redis://:{quote(password, safe='')}@host:6379/0"))
    assert encoded["password"] == password
    raw = parse_url(url_of(f"redis://:{in_clear(password)}@host:6379/0"))
    assert (raw["password"], raw["host"], raw["db"]) == (password, "host", 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("redis://:s3cr/et@host:6379/abc", "number of a database"),
        ("redis://:s3cret@host:6379/1/2", "number of a database"),
        ("redis://:s3cret@host:6379/-1", "number of a database"),
        ("redis://:s3cret@host:port/0", "host:port"),
        ("redis://:s3cret@host:99999/0", "host:port"),
        ("redis://:s3cret", "host:port"),
        ("redis://:s3cr/et", "host:port"),
        ("redis://:s3cret@host?socket_timeout=s3cret", "socket_timeout has a value"),
        ("redis://:s3cret@host?s3cret=1", "an option is not known"),
        ("redis://:s3cret@host?s3cret", "name=value"),
        ("redis://:s3cret@host?ssl_ca_certs=/ca", "needs rediss://"),
        ("redis://:s3cret@host?db=one", "db has a value that is not a number"),
        ("redis://:s3cret@host/0#s3cret", "has no meaning"),
        ("redis://:s3cret@a,b/0", "several hosts"),
        ("redis+sentinel://:s3cr/et@host", "name among the sentinels"),
        ("redis+cluster://:s3cr/et@host/s3cret", "no databases"),
        ("http://:s3cret@host", "begins with redis://"),
        ("s3cret", "expected an address such as"),
        ("unix://s3cret", "whole path of a socket"),
    ],
)
def test_an_address_that_cannot_be_read_is_told_without_any_part_of_it(
    text: str, words: str
) -> None:
    with pytest.raises(SettingsError, match=words) as caught:
        load_settings({"MASKWATCH_REDIS_URL": text})
    assert "s3cr" not in str(caught.value)
    assert str(caught.value).startswith("MASKWATCH_REDIS_URL=***: ")


@pytest.mark.parametrize(
    ("text", "host"),
    [("redis://", None), ("redis:///2", None), ("rediss://[::1]:1/0", "::1"), (" redis://h ", "h")],
)
def test_addresses_that_were_right_stay_right(text: str, host: str | None) -> None:
    assert parse_url(url_of(text)).get("host") == host


@pytest.mark.parametrize("path", ["/run/my redis#1.sock", "/run/what?.sock", "/a@/b.sock", "/ü"])
def test_a_socket_may_have_any_path(path: str) -> None:
    assert parse_url(url_of(f"unix://{path}"))["path"] == path
    assert parse_url(url_of(f"unix://{path}?db=1")) == {
        **parse_url(url_of(f"unix://{path}")),
        "db": 1,
    }


def test_a_password_that_is_all_symbols_signs_in_and_is_shown_nowhere(tmp_path: Path) -> None:
    password = "s3cr@et:/w#rd?%"  # noqa: S105 - of a server that lives for one test
    server = RedisProcess(tmp_path, password)
    server.start()
    try:
        url = f"redis://:{password}@127.0.0.1:{server.port}/"
        redis = connect(url_of(url))
        assert redis.ping()
        assert "s3cr" not in server_name(redis)
        with pytest.raises(RedisUnavailableError, match="database") as caught:
            check_server(connect(url_of(f"{url}77")))
        assert "s3cr" not in str(caught.value)
    finally:
        server.kill()
