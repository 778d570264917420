"""Makes Maskwatch's files readable by its own account only: 0600, folders 0700."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

OTHERS: Final = 0o077
"""Permissions that we remove: those of the group and of others."""


def keep_private() -> None:
    """Let this process and its children create files and folders for their own account only.

    Every program of Maskwatch calls this first.
    """
    os.umask(OTHERS)


def make_private_folder(path: Path) -> None:
    """Create a folder that only our account may enter, or restrict an existing folder of ours."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid == os.geteuid() and found.st_mode & OTHERS:
        path.chmod(0o700)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that only our account can read, atomically.

    Replaces an existing file of that name, and touches no other file.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
