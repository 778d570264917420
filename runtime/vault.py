"""Encrypts secrets in Redis, such as cameras' passwords.

A key file contains one or more Fernet keys, one per line, newest first. The first key encrypts and
all keys decrypt. So the key is changed by adding a new one in front and encrypting everything again
(`maskwatch secret-key rotate`). Ingest, jobs, alerts and dashboard need the same file; workers need
none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contract.errors import SecretKeyError
from runtime.own_files import write_new, write_whole

DERIVED_BYTES: Final = 32
HOW_TO_MAKE_ONE: Final = (
    "`maskwatch secret-key create` creates one; give the same file to ingest, jobs, alerts and "
    "dashboard with MASKWATCH_SECRET_KEY_FILE"
)


class Vault:
    """Seals and opens short texts with the keys of one key file, newest first.

    Reads the file when it is first needed, and again after a change. So changing a key needs no
    restart.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read_at_ns: int | None = None
        self._keys: tuple[bytes, ...] = ()

    def seal(self, text: str) -> str:
        """Return `text` encrypted and authenticated (Fernet: AES-128-CBC, HMAC-SHA256).

        Raises:
            SecretKeyError: there is no usable key file.
        """
        return self._fernet().encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            SecretKeyError: there is no usable key file, or the text is damaged or was sealed with
                another key.
        """
        fernet = self._fernet()
        try:
            return fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError):
            raise SecretKeyError(
                f"it was not encrypted with a key in {self._path}; restore its original key file "
                "(MASKWATCH_SECRET_KEY_FILE), or enter the address again"
            ) from None

    def derive(self, purpose: str) -> list[bytes]:
        """Derive one key for `purpose` from each key of the file (HKDF, RFC 5869), newest first."""
        self._fernet()
        return [
            HKDF(SHA256(), DERIVED_BYTES, salt=None, info=purpose.encode()).derive(key)
            for key in self._keys
        ]

    def _fernet(self) -> MultiFernet:
        with self._lock:
            try:
                changed_at_ns = self._path.stat().st_mtime_ns
                if changed_at_ns != self._read_at_ns:
                    self._keys = read_keys(self._path)
                    self._read_at_ns = changed_at_ns
            except FileNotFoundError:
                raise SecretKeyError(
                    f"there is no key file {self._path}; {HOW_TO_MAKE_ONE}"
                ) from None
            except OSError as error:
                raise SecretKeyError(
                    f"the key file {self._path} cannot be read: {error.strerror}"
                ) from error
            return MultiFernet([Fernet(key) for key in self._keys])


def load_vault(path: Path) -> Vault:
    """Return the vault of an existing, usable key file; raise `SecretKeyError` otherwise."""
    vault = Vault(path)
    vault.seal("")
    return vault


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Return the keys in a file, newest first.

    Raises:
        SecretKeyError: the file contains no Fernet key, or other content too.
        OSError: it cannot be read.
    """
    words = path.read_bytes().split()
    try:
        for word in words:
            Fernet(word)
    except ValueError:
        words = []
    if not words:
        raise SecretKeyError(
            f"{path} is not a key file: expected lines of 44 characters of URL-safe base64; "
            f"{HOW_TO_MAKE_ONE}"
        )
    return tuple(words)


def create_key_file(path: Path) -> bool:
    """Create a key file that only its owner can read; return False if the file exists.

    An empty file counts as none: an earlier version left one behind on a full disk, and no key
    was ever in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.stat().st_size == 0:
            path.unlink()
    return write_new(path, Fernet.generate_key() + b"\n")


def add_newer_key(path: Path) -> None:
    """Put a new key in front of those in the file."""
    _replace(path, (Fernet.generate_key(), *read_keys(path)))


def drop_older_keys(path: Path) -> int:
    """Keep only the newest key; return how many were deleted."""
    newest, *older = read_keys(path)
    _replace(path, (newest,))
    return len(older)


def _replace(path: Path, keys: Iterable[bytes]) -> None:
    write_whole(path, b"\n".join(keys) + b"\n")
