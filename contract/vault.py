"""Encrypts what must not lie about in Redis: cameras' passwords.

A key file holds one or more Fernet keys, one a line, newest first. The first encrypts, all
decrypt, so that a key is changed by putting a new one in front and sealing everything anew
(`maskwatch secret-key rotate`). Ingest, jobs and dashboard need the same file; workers none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.errors import SecretKeyError

DERIVED_BYTES: Final = 32
OWNER_ONLY: Final = 0o600
HOW_TO_MAKE_ONE: Final = (
    "`maskwatch secret-key create` makes one; give the same file to ingest, jobs and dashboard "
    "with MASKWATCH_SECRET_KEY_FILE"
)


class Vault:
    """Seals and opens short texts with the keys of one key file, newest first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise SecretKeyError(f"no key to encrypt with; {HOW_TO_MAKE_ONE}")
        self._keys = tuple(keys)
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        """Return `text` encrypted and authenticated (Fernet: AES-128-CBC, HMAC-SHA256)."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            SecretKeyError: it was sealed with a key that is not in the file, or is damaged.
        """
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError):
            raise SecretKeyError(
                "it was encrypted with another key than the one in use; bring back the key file "
                "it was saved with (MASKWATCH_SECRET_KEY_FILE), or type the address anew"
            ) from None

    def derive(self, purpose: str) -> list[bytes]:
        """One key for `purpose` from each key of the file (HKDF, RFC 5869), newest first."""
        return [
            HKDF(SHA256(), DERIVED_BYTES, salt=None, info=purpose.encode()).derive(key)
            for key in self._keys
        ]


def new_vault() -> Vault:
    """A vault with a key of its own, which nobody else has: for tests."""
    return Vault([Fernet.generate_key()])


def load_vault(path: Path) -> Vault:
    """Read a key file.

    Raises:
        SecretKeyError: there is none, it cannot be read, or it holds no Fernet key.
    """
    try:
        lines = path.read_bytes().split()
    except FileNotFoundError:
        raise SecretKeyError(f"there is no key file {path}; {HOW_TO_MAKE_ONE}") from None
    except OSError as error:
        raise SecretKeyError(f"the key file {path} cannot be read: {error.strerror}") from error
    try:
        return Vault(lines)
    except ValueError:
        raise SecretKeyError(
            f"{path} is not a key file: expected a line of 44 characters of URL-safe base64, "
            f"found {len(lines)} words; {HOW_TO_MAKE_ONE}"
        ) from None


def create_key_file(path: Path) -> bool:
    """Make a key file that only its owner can read; False when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
    return True


def add_newer_key(path: Path) -> None:
    """Put a new key in front of those in the file, in one step that cannot half happen."""
    load_vault(path)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(Fernet.generate_key() + b"\n" + path.read_bytes())
    fresh.replace(path)


def drop_older_keys(path: Path) -> int:
    """Keep the newest key alone; return how many were dropped."""
    newest, *older = path.read_bytes().split()
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(newest + b"\n")
    fresh.replace(path)
    return len(older)
