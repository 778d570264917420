"""`maskwatch user`, `maskwatch api-key` and `maskwatch secret-key`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from contract.errors import AccountError
from maskwatch.connection import bus_here, seal_everything
from runtime.settings import load_settings

if TYPE_CHECKING:
    from bus.stores.accounts.users import User
    from dashboard.accounts.service import Accounts

ROLE_HELP = "viewer, operator or administrator; for one group only: 'viewer:Terminal 2'."
WHO = "the command line"


@click.group()
def user() -> None:
    """Create, list, recover and remove accounts."""


@user.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, help=ROLE_HELP)
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input instead of printing a link.",
)
def user_add(name: str, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Create an account and print a link to choose its password."""
    from contract.accounts.grants import parse_grants
    from dashboard.accounts.passwords import require_good

    accounts = _accounts()
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    if password_stdin:
        require_good(password, name)
    made = accounts.users.add(name, parse_grants(roles))
    if password_stdin:
        accounts.set_password(made, password)
    accounts.audit.write(WHO, "made an account", made.name)
    click.echo(f"{made.id}  {made.name}  {made.may().words()}")
    if not password_stdin:
        _show_link(accounts, made)


@user.command("list")
def user_list() -> None:
    """Show every account, its roles, and whether it can sign in."""
    found = _accounts().users.all()
    for one in found:
        state = "ready" if one.password_hash else "has not set a password"
        state = state if one.enabled else "disabled"
        click.echo(f"{one.id}  {one.name:<24} {state:<24} {one.may().words()}")
    if not found:
        click.echo("no accounts; create one with `maskwatch user add NAME --role administrator`")


@user.command("link")
@click.argument("name", required=False)
def user_link(name: str | None) -> None:
    """Print a link with which NAME can choose a new password.

    Without NAME, the link is for the first administrator; the account is created if needed.
    """
    accounts = _accounts()
    if name is not None:
        found = _find(accounts, name)
        accounts.audit.write(WHO, "made a one-time link", found.name)
        _show_link(accounts, found)
        return
    path = accounts.first_link()
    if path is None:
        raise AccountError(
            "an administrator already has a password; name the account that the link is for"
        )
    _say_link(path)


@user.command("disable")
@click.argument("name")
def user_disable(name: str) -> None:
    """Disable an account and sign it out everywhere."""
    accounts = _accounts()
    found = accounts.change(_find(accounts, name), enabled=False)
    accounts.audit.write(WHO, "changed an account", f"{found.name}: may not sign in")
    click.echo(f"disabled {found.name}")


@user.command("remove")
@click.argument("name")
def user_remove(name: str) -> None:
    """Remove an account and sign it out everywhere."""
    accounts = _accounts()
    found = _find(accounts, name)
    accounts.remove(found)
    accounts.audit.write(WHO, "removed an account", found.name)
    click.echo(f"removed {found.name}")


@click.group("api-key")
def api_key() -> None:
    """Create, list and remove keys for programs."""


@api_key.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help=ROLE_HELP)
@click.option("--metrics", is_flag=True, help="Allow reading /metrics and nothing else.")
@click.option(
    "--days", type=float, default=90, show_default=True, help="Days until the key expires."
)
def api_key_add(name: str, roles: tuple[str, ...], metrics: bool, days: float) -> None:
    """Create a key and print it on a line of its own. It is shown only once."""
    from contract.accounts.grants import parse_grants

    if bool(roles) == metrics:
        raise AccountError("expected either --role or --metrics")
    accounts = _accounts()
    made, text = accounts.api_keys.add(name, parse_grants(roles), days, WHO, metrics)
    accounts.audit.write(WHO, "made an API key", made.name)
    click.echo(text)


@api_key.command("list")
def api_key_list() -> None:
    """Show every key, its permissions and its expiry."""
    found = _accounts().api_keys.all()
    for one in found:
        until = time.strftime("%Y-%m-%d", time.localtime(one.expires_at_s))
        may = "metrics" if one.kind == "metrics" else one.may().words()
        click.echo(f"{one.id}  {one.name:<24} until {until}  {may}")
    if not found:
        click.echo("no API keys; create one with `maskwatch api-key add NAME --role viewer`")


@api_key.command("remove")
@click.argument("name")
def api_key_remove(name: str) -> None:
    """Remove a key. It stops working at once."""
    accounts = _accounts()
    for one in accounts.api_keys.all():
        if name in {one.id, one.name}:
            accounts.api_keys.remove(one.id)
            accounts.audit.write(WHO, "removed an API key", one.name)
            click.echo(f"removed {one.name}")
            return
    raise AccountError(f"no API key has the name or id {name!r}")


@click.group("secret-key")
def secret_key() -> None:
    """Manage the key that encrypts camera passwords and signs cookies."""


@secret_key.command("create")
def secret_key_create() -> None:
    """Create the key file MASKWATCH_SECRET_KEY_FILE. `maskwatch run` does this by itself."""
    from runtime.vault import create_key_file

    path = load_settings().where_the_secret_key_is
    made = create_key_file(path)
    click.echo(f"created {path}, readable by its owner only" if made else f"{path} already exists")


@secret_key.command("seal")
def secret_key_seal() -> None:
    """Encrypt all passwords with the newest key, also those that old versions left in clear."""
    cameras, channels = seal_everything()
    click.echo(
        f"encrypted the addresses of {cameras} cameras and the secrets of {channels} alert channels"
    )


@secret_key.command("rotate")
@click.option("--drop-older", is_flag=True, help="Delete the older keys: the last step.")
def secret_key_rotate(drop_older: bool) -> None:
    """Add a new key and encrypt everything with it; the older keys stay for now.

    Copy the key file to every machine that uses it, then run this again with --drop-older.
    """
    from runtime.vault import add_newer_key, drop_older_keys

    path = load_settings().where_the_secret_key_is
    if drop_older:
        sealed = sum(seal_everything())
        click.echo(f"encrypted {sealed} addresses; deleted {drop_older_keys(path)} older keys")
        return
    add_newer_key(path)
    click.echo(f"{path} has a new key; encrypted {sum(seal_everything())} addresses with it")


def _accounts() -> Accounts:
    from dashboard.accounts.service import make_accounts

    return make_accounts(bus_here())


def _find(accounts: Accounts, name: str) -> User:
    found = accounts.users.find(name)
    if found is None:
        raise AccountError(f"no account has the name {name!r}; `maskwatch user list` shows all")
    return found


def _show_link(accounts: Accounts, found: User) -> None:
    _say_link(accounts.links.create(found.id))


def _say_link(path: str) -> None:
    from maskwatch.run import dashboard_url

    link = f"{dashboard_url(load_settings())}{path}"
    click.echo(f"choose the password here (the link works once, within a day):\n{link}")
