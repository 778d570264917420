"""Accounts, keys and signed-in clients for tests of the dashboard."""

from __future__ import annotations

import re
from typing import Any, Final

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from bus.bus import Bus
from bus.connection.loss import LossWatch
from bus.stores.accounts.api_keys import LONGEST_DAYS
from bus.stores.accounts.users import User
from contract.accounts.grants import EVERYWHERE, Role
from dashboard.accounts.passwords import Passwords
from dashboard.accounts.service import Accounts, make_accounts
from dashboard.app import create_app
from runtime.settings import load_settings
from runtime.vault import Vault
from tests.secret_key import vault as run_vault

PASSWORD: Final = "four quiet words here"  # noqa: S105 - of accounts that live for one test
QUICK: Final = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
TOKEN: Final = re.compile(r'name="csrf[-_]token"[^>]* (?:content|value)="([^"]+)"')


def make_app(
    redis: Redis, vault: Vault | None = None, losses: LossWatch | None = None, **settings: Any
) -> Flask:
    """The dashboard over a Redis, with passwords that are checked quickly."""
    vault = vault or run_vault()
    return create_app(load_settings({}, **settings), Bus(redis, vault), vault, QUICK, losses)


def accounts_of(redis: Redis) -> Accounts:
    return make_accounts(Bus(redis), QUICK)


def make_key(redis: Redis, role: Role = "administrator", group: str = EVERYWHERE) -> str:
    """An API key with a role."""
    store = accounts_of(redis).api_keys
    name = f"{role} {group} {len(store.all())}"
    # As long as that, as some tests have it be another day once the key is made.
    return store.add(name, {group: role}, LONGEST_DAYS, "a test")[1]


def key_client(
    app: Flask, redis: Redis, role: Role = "administrator", group: str = EVERYWHERE
) -> FlaskClient:
    """A client that sends an API key with every request."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {make_key(redis, role, group)}"
    return client


def make_user(redis: Redis, name: str = "Ada", **grants: Role) -> User:
    """An account with `PASSWORD`; an administrator of everything unless told otherwise."""
    accounts = accounts_of(redis)
    user = accounts.users.add(name, dict(grants) or {EVERYWHERE: "administrator"})
    return accounts.set_password(user, PASSWORD)[0]


def sign_in(client: FlaskClient, name: str = "Ada", password: str = PASSWORD) -> TestResponse:
    """Sign in as a browser would: open the page, send its form."""
    token = csrf_token(client, "/sign-in")
    form = {"name": name, "password": password, "csrf_token": token}
    return client.post("/sign-in", data=form)


def csrf_token(client: FlaskClient, path: str = "/account") -> str:
    """The token that a page carries."""
    found = TOKEN.search(client.get(path, headers={"Accept": "text/html"}).text)
    assert found, f"{path} carries no token"
    return found.group(1)


def session_cookie(
    redis: Redis, port: int, user: User, vault: Vault | None = None
) -> dict[str, str]:
    """The cookie of a browser signed in without the sign-in page.

    `vault`: that of the server, by default the one of this test run's servers.
    """
    app = make_app(redis, vault or run_vault(), port=port)
    token = accounts_of(redis).sessions.start(user.id, "127.0.0.1", "a test")
    serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = serializer.dumps({"_user_id": token, "_fresh": True})
    return {"name": str(app.config["SESSION_COOKIE_NAME"]), "value": value}
