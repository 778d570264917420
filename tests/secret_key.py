"""A key file for one test run, and the cameras as those see them who have it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from redis import Redis

from bus.stores.cameras import CameraRegistry
from runtime.vault import Vault, create_key_file, load_vault


@cache
def key_file() -> Path:
    """The key file for this run's processes."""
    path = Path(tempfile.mkdtemp(prefix="maskwatch-tests-")) / "secret.key"
    create_key_file(path)
    return path


def vault() -> Vault:
    return load_vault(key_file())


def other_vault() -> Vault:
    """The vault of another key file."""
    path = Path(tempfile.mkdtemp(prefix="maskwatch-tests-")) / "secret.key"
    create_key_file(path)
    return load_vault(path)


def cameras_of(redis: Redis) -> CameraRegistry:
    """The registry, passwords included."""
    return CameraRegistry(redis, vault())
