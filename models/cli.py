"""The work of `maskwatch models list | pull | verify`; the command only prints the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from contract.errors import ModelChecksumError
from models.downloads import Progress, pull
from models.files import NetworkFile, known_files, locate, verify

NEEDED: Final[tuple[str, ...]] = ()
"""Files that the default settings need, besides those that ship with Maskwatch. There are none."""

State = Literal["present", "missing", "wrong"]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A known network file and how it is on this machine. `path` is None if missing."""

    file: NetworkFile
    state: State
    path: Path | None


def list_models(models_dir: Path | None = None) -> list[ModelStatus]:
    """Return every known file and its path, without reading any file."""
    paths = [(file, locate(file, models_dir)) for file in known_files()]
    return [ModelStatus(file, "present" if path else "missing", path) for file, path in paths]


def verify_models(models_dir: Path | None = None) -> list[ModelStatus]:
    """Return every known file; "wrong" if its SHA-256 is not the published one."""
    return [_verified(status) for status in list_models(models_dir)]


def pull_models(
    names: Sequence[str],
    target_dir: Path,
    base_url: str | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Download files by name, by default `NEEDED`; raises like `models.downloads.pull`."""
    return [
        pull(name, target_dir, base_url=base_url, progress=progress) for name in names or NEEDED
    ]


def _verified(status: ModelStatus) -> ModelStatus:
    if status.path is None:
        return status
    try:
        verify(status.path, status.file)
    except ModelChecksumError:
        return ModelStatus(status.file, "wrong", status.path)
    return status
