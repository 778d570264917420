"""Our own files are for our own account alone: 0600, folders 0700."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

OTHERS: Final = 0o077
"""The rights that nobody but our account has."""


def keep_private() -> None:
    """Have this process, and those it starts, make files and folders for its own account alone.

    Every program of ours calls this first.
    """
    os.umask(OTHERS)


def make_private_folder(path: Path) -> None:
    """Make a folder that only our account may enter, or have one of ours be so from now on."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid == os.geteuid() and found.st_mode & OTHERS:
        path.chmod(0o700)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that only our account can read, in one step that cannot half happen.

    What was there under that name is replaced; nothing else is touched.
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
