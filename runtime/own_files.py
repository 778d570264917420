"""Makes Maskwatch's files readable by its own account only: 0600, folders 0700.

Writes them aside and renames them, so that a full disk leaves no half-written file. Says in plain
words what a system has against a file.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from contract.errors import SettingsError

OTHERS: Final = 0o077
"""Permissions that we remove: those of the group and of others."""
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


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


def require_own_folder(path: Path) -> None:
    """Make a private folder; raise `SettingsError` if somebody else made one of that name."""
    make_private_folder(path)
    found = path.lstat()
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise SettingsError(f"{path} belongs to {_user(found.st_uid)}; remove it")


def require_writable(path: Path, setting: str) -> None:
    """Make a private folder and a file in it; raise `SettingsError` with what to do otherwise.

    setting: the setting that names the folder.
    """
    try:
        make_private_folder(path)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"?")
    except OSError as error:
        words = f"{file_words(error, path)}; or set {setting} to another folder"
        raise SettingsError(words) from error


def words_at_the_edge(error: OSError) -> str:
    """Return what a command says of an error of files; empty if it is another one.

    Writing to a full disk fails without the file's name.
    """
    if error.filename is not None:
        return file_words(error, Path(os.fsdecode(error.filename)))
    return "the disk is full; free some space" if error.errno in DISK_FULL else ""


def file_words(error: OSError, path: Path) -> str:
    """Return what the system has against a file or folder, and what to do."""
    me = _user(os.geteuid())
    match error.errno:
        case errno.EACCES | errno.EPERM:
            place, owner = _nearest(path)
            return (
                f"{path} cannot be written or read by {me}: {place} belongs to {owner}; run "
                f"Maskwatch as {owner}, or give that folder to {me} (chown -R)"
            )
        case errno.EROFS:
            return f"{path} is on a read-only file system; mount it with write access"
        case full if full in DISK_FULL:
            return f"the disk that holds {path} is full; free some space"
        case errno.EEXIST | errno.ENOTDIR:
            return f"{path} is, or is below, a file where a folder was expected; move that file"
        case errno.EISDIR:
            return f"{path} is a folder where a file was expected; move it"
        case errno.ENAMETOOLONG:
            return f"{path}: the name is too long for this file system; choose a shorter one"
        case errno.ENOENT:
            return f"{path} does not exist; check the name"
    return f"{path}: {error.strerror or type(error).__name__}; check the disk and the name"


def _nearest(path: Path) -> tuple[Path, str]:
    """The file or folder at or above `path` that may be looked at, and its owner."""
    for place in (path, *path.absolute().parents):
        with suppress(OSError):
            return place, _user(place.stat().st_uid)
    return path, "another user"


def _user(uid: int) -> str:
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user with the number {uid}"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that only our account can read, atomically.

    Replaces an existing file of that name, and touches no other file.
    """
    with _written_aside(path, data) as aside:
        aside.replace(path)


def write_new(path: Path, data: bytes) -> bool:
    """Write a file as `write_whole` does, unless there is one; return whether it was written."""
    with _written_aside(path, data) as aside:
        try:
            path.hardlink_to(aside)  # unlike a renaming, this replaces nothing
        except FileExistsError:
            return False
        except OSError:  # a file system without such links
            if path.exists():
                return False
            aside.replace(path)
    return True


@contextmanager
def _written_aside(path: Path, data: bytes) -> Iterator[Path]:
    """Yield a file with `data` beside `path`; remove it afterwards if it is still there."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink()
