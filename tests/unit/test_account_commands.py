"""`maskwatch user` and `maskwatch api-key`: accounts for scripts, and the way back in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from contract.accounts.grants import EVERYWHERE
from maskwatch.cli import main
from tests.accounts import PASSWORD, accounts_of, make_user
from tests.builders import everything_in

Run = Callable[..., Result]


@pytest.fixture
def run(redis_url: str) -> Run:
    def call(*arguments: str, typed: str = "") -> Result:
        environment = {"MASKWATCH_REDIS_URL": redis_url, "MASKWATCH_PORT": "8123"}
        return CliRunner().invoke(main, arguments, env=environment, input=typed)

    return call


def test_an_account_is_made_with_a_link_or_with_a_password(run: Run, redis: Redis) -> None:
    made = run("user", "add", "Grace", "--role", "viewer", "--role", "operator:Terminal 2")
    assert made.exit_code == 0, made.output
    token = made.output.split("http://127.0.0.1:8123/welcome/")[1].strip()
    accounts = accounts_of(redis)
    grace = accounts.users.find("grace")
    assert grace is not None
    assert grace.grants == {EVERYWHERE: "viewer", "Terminal 2": "operator"}
    assert accounts.links.read(token) == grace.id
    typed = run(
        "user", "add", "Ada", "--role", "administrator", "--password-stdin", typed=PASSWORD + "\n"
    )
    assert "welcome" not in typed.output
    assert accounts.check_password("Ada", PASSWORD, "") is not None
    listed = run("user", "list").output
    assert "has not set a password" in listed
    assert "operator in Terminal 2" in listed


def test_whoever_lost_a_password_gets_a_link(run: Run, redis: Redis) -> None:
    first = run("user", "link")
    assert "/welcome/" in first.output
    assert [user.name for user in accounts_of(redis).users.all()] == ["admin"]
    make_user(redis)
    assert run("user", "link").exit_code == 2
    assert "/welcome/" in run("user", "link", "ada").output
    assert run("user", "link", "nobody").exit_code == 2


def test_an_account_is_disabled_and_removed_with_its_sessions(run: Run, redis: Redis) -> None:
    make_user(redis)
    bob = make_user(redis, "Bob", **{EVERYWHERE: "viewer"})
    sessions = accounts_of(redis).sessions
    token = sessions.start(bob.id, "", "")
    assert run("user", "disable", "Bob").exit_code == 0
    assert sessions.find(token) is None
    assert accounts_of(redis).check_password("Bob", PASSWORD, "") is None
    assert run("user", "remove", "Bob").exit_code == 0
    refused = run("user", "remove", "Ada")
    assert refused.exit_code == 2
    assert "last administrator" in refused.output


def test_a_key_is_printed_alone_and_works_until_it_is_removed(run: Run, redis: Redis) -> None:
    made = run("api-key", "add", "Prometheus", "--metrics", "--days", "30")
    store = accounts_of(redis).api_keys
    found = store.find(made.output.strip())
    assert found is not None
    assert (found.kind, found.name) == ("metrics", "Prometheus")
    assert made.output.strip().encode() not in everything_in(redis)
    assert "Prometheus" in run("api-key", "list").output
    assert run("api-key", "remove", "Prometheus").exit_code == 0
    assert store.find(made.output.strip()) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("api-key", "add", "x"),
        ("api-key", "add", "x", "--role", "viewer", "--metrics"),
        ("api-key", "add", "x", "--role", "boss"),
        ("api-key", "add", "x", "--role", "viewer", "--days", "0"),
        ("api-key", "remove", "x"),
        ("user", "add", "x", "--role", "operator:"),
        ("user", "add", "a:b", "--role", "viewer"),
    ],
)
def test_what_cannot_be_ends_with_words(run: Run, redis: Redis, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert ended.output.startswith("maskwatch: ")
    assert accounts_of(redis).users.all() == []
    assert accounts_of(redis).api_keys.all() == []
