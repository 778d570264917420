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
    help="Version of Redis. In 6.2 a user who may read a key may also write it.",
)
@click.option("--sentinels", is_flag=True, help="Add users for sentinels and replicas.")
@click.option("--cluster", is_flag=True, help="Write the users of a Redis Cluster's servers.")
@click.option("--template", is_flag=True, help="Print the rules only, without passwords.")
def redis_acl(
    folder: Path | None, server: str, sentinels: bool, cluster: bool, template: bool
) -> None:
    """Write users.acl, with a Redis user for each role, and the users' passwords into FOLDER.

    Existing passwords stay. Set `aclfile` of Redis to the file, and give each process its user and
    password file: MASKWATCH_REDIS_USER, MASKWATCH_REDIS_PASSWORD_FILE.
    """
    from bus.server import acl

    if template:
        click.echo(acl.template(), nl=False)
        return
    if folder is None:
        raise click.UsageError("name the FOLDER to write to")
    if sentinels and cluster:
        raise click.UsageError("a cluster has no sentinels: use one of the two options")
    for path in acl.write(folder, cast(acl.Server, server), sentinels, cluster):
        click.echo(f"wrote {path}")
