"""Opens video files and checks the opened file itself, so that swapping the path has no effect."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.cameras.file_sources import folders_of, named
from contract.errors import SourceForbiddenError, SourceNotFoundError
from runtime.settings import Settings

SYSTEM: Final = (Path("/proc"), Path("/sys"), Path("/dev"), Path("/run/secrets"))
"""Folders from which no video is ever played. Webcams are opened as webcams."""


@dataclass(frozen=True)
class FileReach:
    """Decides which files may be played.

    folders: if not empty, only files in these. private: no files in these. secrets: no files in the
    same folder as these.
    """

    folders: tuple[Path, ...] = ()
    private: tuple[Path, ...] = SYSTEM
    secrets: tuple[Path, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> FileReach:
        """Return what the settings allow: never our own state, recordings or secrets."""
        given = os.environ.get("CREDENTIALS_DIRECTORY")  # systemd's
        ours = (settings.state_dir, settings.where_recordings_are)
        secrets = (
            settings.where_the_secret_key_is,
            settings.redis_password_file,
            settings.redis_key_file,
            settings.metrics_key_file,
        )
        return cls(
            folders_of(settings.source_folders),
            (*SYSTEM, *ours, *([Path(given)] if given else [])),
            tuple(path for path in secrets if path),
        )

    def open(self, path: str) -> int:
        """Return a descriptor of a video file, for reading; the caller closes it.

        Outside the allowed places, the error never reveals whether a file exists.

        Raises:
            SourceForbiddenError: the path is in a forbidden place, or is not a file.
            SourceNotFoundError: no such file is readable by this process.
        """
        self._require_played(path, named(path), within_folders=False)
        try:
            # Open for inspection only: opening a device for reading may have effects.
            held = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (OSError, ValueError):
            self._require_played(path, Path(os.path.realpath(path)))
            raise _not_there(path) from None
        try:
            return self._opened(path, held)
        finally:
            os.close(held)

    def _opened(self, path: str, held: int) -> int:
        found, again = os.fstat(held), Path(f"/proc/self/fd/{held}")
        self._require_played(path, again.readlink())
        if found.st_dev in _system_devices() or not found.st_nlink:
            raise _not_played(path)
        if not stat.S_ISREG(found.st_mode):
            raise SourceForbiddenError(f"{path} is not a video file, but a folder, device or pipe")
        try:
            return os.open(again, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            raise _not_there(path) from None

    def _require_played(self, path: str, real: Path, within_folders: bool = True) -> None:
        """Raise `SourceForbiddenError` unless videos may be played from the place of `real`.

        The content of `path` affects neither the decision nor the message.
        """
        if within_folders and self.folders and not _within(real, self.folders):
            raise SourceForbiddenError(
                f"{path} is outside the folders for videos; move it into one of "
                f"{', '.join(map(str, self.folders))} (MASKWATCH_SOURCE_FOLDERS)"
            )
        beside = {os.path.realpath(secret.parent) for secret in self.secrets}
        if _within(real, self.private) or os.path.realpath(real.parent) in beside:
            raise _not_played(path)


def identity(found: os.stat_result) -> tuple[int, ...]:
    """Return values that change if the path leads to another file, or to changed contents."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _within(real: Path, folders: Iterable[Path]) -> bool:
    """Whether a file is in one of the folders, whichever path led to it."""
    resolved = [Path(os.path.realpath(folder)) for folder in folders]
    if any(real.is_relative_to(folder) for folder in resolved):
        return True
    ids = set(_ids(resolved))
    return any(one in ids for one in _ids(real.parents))  # mounted elsewhere a second time


def _ids(folders: Iterable[Path]) -> Iterator[tuple[int, int]]:
    for folder in folders:
        try:
            found = folder.stat()
        except (OSError, ValueError):
            continue
        yield found.st_dev, found.st_ino


def _system_devices() -> set[int]:
    """Return the devices of the kernel's own file systems, wherever else they are mounted."""
    return {path.stat().st_dev for path in map(Path, ("/proc", "/sys")) if path.is_mount()}


def _not_played(path: str) -> SourceForbiddenError:
    return SourceForbiddenError(
        f"{path} lies where no video is played from: among the system's own files, or Maskwatch's "
        "state, recordings or secrets; put videos elsewhere"
    )


def _not_there(path: str) -> SourceNotFoundError:
    return SourceNotFoundError(f"there is no file {path} that the ingest machine can read")
