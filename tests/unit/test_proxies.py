"""Who asks, as known proxies say and as others make up."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from contract.errors import SettingsError
from dashboard.serving.proxies import Proxies
from runtime.settings import load_settings
from tests.accounts import make_app, make_user, sign_in

NEAR = Proxies("127.0.0.1, 10.1.0.0/16, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("127.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("198.51.100.1", "198.51.100.7", "198.51.100.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "made up, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("127.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("10.1.0.5", "unknown", "10.1.0.5"),
        ("::ffff:10.1.0.5", "2001:db8::1", "2001:db8::1"),
        ("fd00::1", "2001:DB8:0::1", "2001:db8::1"),
        ("", "198.51.100.7", ""),
        ("127.0.0.1", "10.1.0.1," * 10_000 + "198.51.100.7", "198.51.100.7"),
    ],
)
def test_the_last_address_that_is_no_proxy_of_ours_asks(
    peer: str, forwarded_for: str, client: str
) -> None:
    assert NEAR.client(peer, forwarded_for) == client


def test_without_proxies_nobody_is_believed() -> None:
    assert Proxies("").client("127.0.0.1", "198.51.100.7") == "127.0.0.1"


@pytest.mark.parametrize(("proxies", "tried"), [("", 5), ("192.0.2.1", 5), ("127.0.0.0/8", 8)])
def test_guesses_are_counted_by_who_makes_them(redis: Redis, proxies: str, tried: int) -> None:
    make_user(redis)
    client = make_app(redis, proxy_addresses=proxies).test_client()
    answers = []
    for number in range(8):
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"198.51.100.{number}"
        answers.append(sign_in(client, "Ada", "wrong").status_code)
    assert answers.count(401) == tried


@pytest.mark.parametrize(("proxies", "status"), [("", 400), ("127.0.0.1", 200)])
def test_a_host_name_is_believed_of_proxies_only(redis: Redis, proxies: str, status: int) -> None:
    app = make_app(redis, proxy_addresses=proxies, trusted_hosts="wall.example.org")
    said: dict[str, Any] = {"X-Forwarded-Host": "wall.example.org", "Host": "other.example.org"}
    assert app.test_client().get("/sign-in", headers=said).status_code == status


def test_a_proxy_without_an_address_is_refused_with_what_to_set() -> None:
    with pytest.raises(SettingsError, match="MASKWATCH_PROXY_ADDRESSES"):
        load_settings({"MASKWATCH_BEHIND_PROXY": "true"})
    with pytest.raises(SettingsError, match="MASKWATCH_PROXY_ADDRESSES"):
        load_settings({"MASKWATCH_PROXY_ADDRESSES": "my-proxy"})
