"""Signs in to a camera with user and password: Digest (RFC 7616) or Basic (RFC 7617)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from urllib.request import parse_http_list, parse_keqv_list

Hash = Callable[[bytes], Any]
# Most cameras need MD5, also on systems that otherwise forbid it.
_MD5: Final[Hash] = partial(hashlib.md5, usedforsecurity=False)
HASHES: Final[dict[str, Hash]] = {
    "": _MD5,
    "MD5": _MD5,
    "MD5-SESS": _MD5,
    "SHA-256": hashlib.sha256,
    "SHA-256-SESS": hashlib.sha256,
}


class Login:
    """The login of one user at one camera. Remembers the camera's last challenge."""

    def __init__(self, user: str, password: str) -> None:
        self._user = as_sent(user)
        self._password = as_sent(password)
        self._asked: dict[str, str] | None = None
        self._count = 0

    def challenged(self, challenges: Sequence[str]) -> bool:
        """Choose the best challenge (`WWW-Authenticate`); return False if none is supported."""
        offered = [(scheme.lower(), _fields(rest)) for scheme, rest in map(_split, challenges)]
        digests = [
            fields
            for scheme, fields in offered
            if scheme == "digest" and fields.get("algorithm", "").upper() in HASHES
        ]
        self._count = 0
        if digests:
            # MD5 first: every camera that offers both gets it right.
            self._asked = min(digests, key=lambda one: "SHA" in one.get("algorithm", "").upper())
        elif any(scheme == "basic" for scheme, _ in offered):
            self._asked = {}
        else:
            return False
        return bool(self._user)

    def authorization(self, method: str, uri: str) -> str:
        """Return the header's value for one request; empty before the first challenge."""
        if self._asked is None or not self._user:
            return ""
        if not self._asked:
            both = f"{self._user}:{self._password}".encode("latin-1")
            return f"Basic {base64.b64encode(both).decode()}"
        return _digest(self._asked, self._user, self._password, method, uri, self._counted())

    def _counted(self) -> str:
        self._count += 1
        return f"{self._count:08x}"


def _digest(
    asked: dict[str, str], user: str, password: str, method: str, uri: str, count: str
) -> str:
    realm, nonce, algorithm = (asked.get(key, "") for key in ("realm", "nonce", "algorithm"))

    def hashed(*parts: str) -> str:
        return str(HASHES[algorithm.upper()](":".join(parts).encode("latin-1")).hexdigest())

    secret, client = hashed(user, realm, password), secrets.token_hex(8)
    if algorithm.upper().endswith("-SESS"):
        secret = hashed(secret, nonce, client)
    said = {"username": user, "realm": realm, "nonce": nonce, "uri": uri}
    ways = {way.strip() for way in asked.get("qop", "").split(",")}
    if "auth" in ways:
        response = hashed(secret, nonce, count, client, "auth", hashed(method, uri))
    else:  # the form before RFC 2617, which many cameras still use
        response = hashed(secret, nonce, hashed(method, uri))
    said["response"] = response
    said |= {key: asked[key] for key in ("algorithm", "opaque") if asked.get(key)}
    words = [f'{key}="{value}"' for key, value in said.items()]
    if "auth" in ways:
        words += ["qop=auth", f"nc={count}", f'cnonce="{client}"']
    return "Digest " + ", ".join(words)


def as_sent(text: str) -> str:
    """Return text as headers carry it: one character for each byte of its UTF-8."""
    return text.encode().decode("latin-1")


def _split(challenge: str) -> tuple[str, str]:
    scheme, _, rest = challenge.strip().partition(" ")
    return scheme, rest


def _fields(text: str) -> dict[str, str]:
    pairs = [part for part in parse_http_list(text) if part.partition("=")[2]]
    return {key.strip().lower(): value for key, value in parse_keqv_list(pairs).items()}
