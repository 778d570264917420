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
    """Write cameras, accounts, alerts' rules and channels and all counts into one file.

    Secrets in it are encrypted with the key file, which is not in it: keep a copy of that, too.
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
        f"Keep {load_settings().where_the_secret_key_is} as well, elsewhere: without it, cameras' "
        "passwords and channels' secrets in the backup cannot be read."
    )


@click.command("restore")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@click.option(
    "--replace",
    is_flag=True,
    help="Put what the file has in place of what is here under the same id, counts included.",
)
def restore(path: Path, dry_run: bool, replace: bool) -> None:
    """Bring back what `maskwatch backup` wrote. What is here already stays, with its counts."""
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
@click.option("--accept", is_flag=True, help="Go on with what Redis has.")
def redis_loss(accept: bool) -> None:
    """Say what Redis lacks of what it had stored."""
    bus = bus_here()
    loss = bus.losses().look()
    click.echo(f"{loss.words}." if loss else "Redis has all that it had, as far as anybody knows.")
    if loss and accept:
        bus.accept_loss()
        bus.audit.write(WHO, "accepted a loss of data", loss.words)
        click.echo("accepted: nobody says so any more")


def _say_what_stays_locked(records: Sequence[str]) -> None:
    locked = sum(map(_is_locked, records))
    if locked:
        click.echo(
            f"{locked} cameras and channels have secrets that "
            f"{load_settings().where_the_secret_key_is} does not open. Put the key file there that "
            "they were saved with, or type their addresses and secrets anew."
        )


def _is_locked(raw: str) -> bool:
    """Whether a record has something encrypted that the key here does not open."""
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
