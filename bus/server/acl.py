"""Redis' users as its ACL file has them, with a password for each role."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from bus.server.roles import REPLICA, ROLES, WATCHERS, Access, in_cluster
from contract.errors import SettingsError
from runtime.own_files import file_words, write_new

Server = Literal["7", "6.2"]
ACL_FILE: Final = "users.acl"
NOBODY: Final = "user default off resetpass ~* &* +@all"
"""A user that nobody can sign in as: it is off and has no password.

Redis itself acts as this user while it replays its append-only file, and Redis 7 then refuses every
transaction that the user may not run (redis#14541, valkey#3983). So this user has all rights.
"""
OWNER_ONLY: Final = 0o600
PASSWORD_BYTES: Final = 32
_HEX: Final = re.compile(r"[0-9a-f]{64}")


def template() -> str:
    """The ACL file for Redis 7 with `#PASSWORD-OF-ROLE` where each password's hash goes."""
    return acl_text(lambda role: f"#PASSWORD-OF-{role}", "7")


def acl_text(
    password: Callable[[str], str],
    server: Server,
    users: Mapping[str, Access] = ROLES,
    cluster: bool = False,
) -> str:
    """Return the ACL file, with these users only. `password`: returns a role's password rule.

    Redis 6.2 does not distinguish reading from writing, so there a role may read the keys that it
    writes and write the keys that it reads, within its commands.
    """
    lines = [
        f"user {role} on {password(role)} {_rules(in_cluster(a) if cluster else a, server)}"
        for role, a in users.items()
    ]
    return "\n".join([NOBODY, *lines, ""])


def _rules(access: Access, server: Server) -> str:
    return " ".join(
        [
            "resetkeys",
            *_keys(access, server),
            "resetchannels",
            *(f"&{channel}" for channel in sorted(access.channels)),
            "-@all",
            *(f"+{command}" for command in sorted(_commands(access, server))),
        ]
    )


def _commands(access: Access, server: Server) -> frozenset[str]:
    # Redis 6.2 writes down what is loaded: keys of pictures are run there (bus.picture_seal).
    runs = server == "6.2" and "evalsha" in access.commands
    return access.commands | {"eval"} if runs else access.commands


def _keys(access: Access, server: Server) -> Iterator[str]:
    for name in sorted(access.reads | access.writes):
        if server == "6.2" or name in access.reads & access.writes:
            yield f"~{name}"
        else:
            yield f"%R~{name}" if name in access.reads else f"%W~{name}"


def write(
    folder: Path, server: Server, sentinels: bool = False, cluster: bool = False
) -> list[Path]:
    """Write the ACL file and a password file for each role; return the new files.

    `sentinels`: adds users for sentinels and replicas. `cluster`: uses the key names of a cluster
    and adds a user for replicas. Existing passwords stay, so that a second call after an upgrade
    changes only the rules.

    Raises:
        SettingsError: a password file has other content, or cannot be written.
    """
    users = {**ROLES, **(WATCHERS if sentinels else REPLICA if cluster else {})}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = [path for role in users if _make(path := password_file(folder, role))]
        hashes = {role: f"#{_hash(password_file(folder, role))}" for role in users}
        path = folder / ACL_FILE
        # Overwrite in place: containers mount this very file.
        with open(path, "w", encoding="utf-8", opener=_owner_only) as file:
            file.write(acl_text(hashes.__getitem__, server, users, cluster))
    except OSError as error:
        where = Path(os.fsdecode(error.filename)) if error.filename else folder
        raise SettingsError(file_words(error, where)) from error
    return [*made, path]


def password_file(folder: Path, role: str) -> Path:
    """Return the path of a role's password file."""
    return folder / f"redis-{role}.password"


def _make(path: Path) -> bool:
    if path.exists():
        return False
    return write_new(path, (secrets.token_hex(PASSWORD_BYTES) + "\n").encode())


def _hash(path: Path) -> str:
    password = path.read_text(encoding="utf-8").strip()
    # Redis stores a plain SHA-256, which is safe only for a long random password.
    if not _HEX.fullmatch(password):
        raise SettingsError(
            f"{path}: expected 64 hexadecimal digits; delete it to get a new password"
        )
    return hashlib.sha256(password.encode()).hexdigest()


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, OWNER_ONLY)
