"""`maskwatch redis-acl`."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click


@click.command("redis-acl")
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--redis",
    "server",
    type=click.Choice(["7", "6.2"]),
    default="7",
    show_default=True,
    help="6.2 cannot tell reading a key from writing it.",
)
@click.option("--sentinels", is_flag=True, help="With users for sentinels and replicas.")
@click.option("--cluster", is_flag=True, help="For the servers of a Redis Cluster.")
@click.option("--template", is_flag=True, help="Print the rules alone, without passwords.")
def redis_acl(
    folder: Path | None, server: str, sentinels: bool, cluster: bool, template: bool
) -> None:
    """Write users.acl, which gives each role a user in Redis, and their passwords into FOLDER.

    Passwords that are there stay. Have Redis read the file (`aclfile`), and give each process its
    user and password file: MASKWATCH_REDIS_USER, MASKWATCH_REDIS_PASSWORD_FILE.
    """
    from bus.server import acl

    if template:
        click.echo(acl.template(), nl=False)
        return
    if folder is None:
        raise click.UsageError("name the FOLDER that the files go into")
    if sentinels and cluster:
        raise click.UsageError("a cluster has no sentinels: give one of the two")
    for path in acl.write(folder, cast(acl.Server, server), sentinels, cluster):
        click.echo(f"wrote {path}")
