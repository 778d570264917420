"""Builds the complete address of Redis from the URL, the user and the password file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from contract.errors import SettingsError


def with_login(url: str, user: str | None, password_file: Path | None) -> str:
    """Return `url` with the user and the password from a file. Callers must not log the result.

    Raises:
        SettingsError: the file cannot be read or is empty, or the address already has a login.
    """
    if user is None and password_file is None:
        return url
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise SettingsError(
            "MASKWATCH_REDIS_URL already has a user or password; remove it, or unset "
            "MASKWATCH_REDIS_USER and MASKWATCH_REDIS_PASSWORD_FILE"
        )
    password = _read_password(password_file) if password_file else ""
    login = f"{quote(user or '', safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


def _read_password(path: Path) -> str:
    try:
        password = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SettingsError(
            f"MASKWATCH_REDIS_PASSWORD_FILE={path} cannot be read: {words}"
        ) from None
    if not password:
        raise SettingsError(f"MASKWATCH_REDIS_PASSWORD_FILE={path} is empty")
    return password
