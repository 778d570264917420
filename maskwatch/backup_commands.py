"""`maskwatch backup` and `maskwatch restore`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from contract.errors import SecretKeyError
from maskwatch import __version__
from maskwatch.connection import bus_here
from runtime.settings import load_settings

WHO = "the command line"


@click.command("backup")
@click.argument("path", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def backup(path: Path) -> None:
    """Write cameras, accounts, alert rules, channels and all counts into one file.

    The file's secrets are encrypted with the key file, which it does not contain: keep a copy of
    the key file too.
    """
    from maskwatch import backup as backups

    taken = backups.take(bus_here().backups, __version__)
    backups.write(taken, path)
    click.echo(
        f"{len(taken.cameras)} cameras with their counts, {len(taken.users)} accounts, "
        f"{len(taken.api_keys)} API keys, {len(taken.rules)} alert rules and "
        f"{len(taken.channels)} channels in {path}"
    )
    click.echo(
        f"Also keep a copy of {load_settings().where_the_secret_key_is}, in another place: without "
        "it, nobody can read the passwords of cameras and the secrets of channels in the backup."
    )


@click.command("restore")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the changes without making them.")
@click.option(
    "--replace",
    is_flag=True,
    help="Overwrite existing records that have the same id, including their counts.",
)
def restore(path: Path, dry_run: bool, replace: bool) -> None:
    """Restore a file of `maskwatch backup`. Existing records stay, with their counts."""
    from maskwatch import backup as backups

    bus = bus_here()
    read = backups.read(path)
    items = backups.plan(bus.backups, read, replace)
    for item in items:
        if item.outcome != "new":
            click.echo(f"{item.kind.replace('_', ' ')}: {item.name or item.id}: {item.outcome}")
    if not dry_run:
        items = backups.restore(bus.backups, read, replace, load_settings().history_days)
    tally = Counter(item.outcome for item in items)
    words = ", ".join(f"{tally[outcome]} {outcome}" for outcome in sorted(tally)) or "nothing"
    click.echo(f"{'would restore' if dry_run else 'restored'}: {words}")
    if not dry_run:
        bus.accept_loss()
        bus.audit.write(WHO, "restored a backup", words)
    _say_what_stays_locked([*read.cameras.values(), *read.channels.values()])


@click.command("redis-loss")
@click.option("--accept", is_flag=True, help="Continue with the data that Redis has.")
def redis_loss(accept: bool) -> None:
    """Show which stored data Redis has lost."""
    bus = bus_here()
    loss = bus.losses().look()
    click.echo(f"{loss.words}." if loss else "No known loss: Redis has all data it had stored.")
    if loss and accept:
        bus.accept_loss()
        bus.audit.write(WHO, "accepted a loss of data", loss.words)
        click.echo("accepted: Maskwatch no longer reports this loss")


def _say_what_stays_locked(records: Sequence[str]) -> None:
    locked = sum(map(_is_locked, records))
    if locked:
        click.echo(
            f"{load_settings().where_the_secret_key_is} cannot decrypt the secrets of {locked} "
            "cameras and channels. Put their original key file there, or enter their addresses "
            "and secrets again."
        )


def _is_locked(raw: str) -> bool:
    """Whether the local key file cannot decrypt a secret of this record."""
    from runtime.vault import Vault

    record = json.loads(raw)
    sealed = [record.get(name) for name in ("sealed_source", "url", "secret", "password")]
    vault = Vault(load_settings().where_the_secret_key_is)
    for text in filter(None, sealed):
        try:
            vault.open(str(text))
        except SecretKeyError:
            return True
    return False
