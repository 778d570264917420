"""Reads the key file with which a program may read the metrics and nothing else."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from bus.stores.accounts.api_keys import ApiKey
from bus.stores.accounts.tokens import digest
from contract.errors import SettingsError

SHORTEST: Final = 32

_KEY: Final = ApiKey(
    id="file",
    name="metrics key file",
    kind="metrics",
    digest="",
    made_by="MASKWATCH_METRICS_KEY_FILE",
    created_at_s=0.0,
    expires_at_s=float(2**53),
)


class MetricsKey:
    """The key of `MASKWATCH_METRICS_KEY_FILE`."""

    def __init__(self, path: Path | None) -> None:
        """`path`: None without such a key.

        Raises:
            SettingsError: the file cannot be read, or its key is too short.
        """
        self._digest = _read(path) if path else ""

    def find(self, text: str) -> ApiKey | None:
        """Return the key if `text` is it."""
        same = self._digest and hmac.compare_digest(digest(text), self._digest)
        return _KEY if same else None


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"MASKWATCH_METRICS_KEY_FILE={path} cannot be read: {error}") from None
    if len(text) < SHORTEST:
        raise SettingsError(
            f"MASKWATCH_METRICS_KEY_FILE={path}: expected at least {SHORTEST} "
            f"characters, found {len(text)}"
        )
    return digest(text)
