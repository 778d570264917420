"""Random tokens. Redis stores only their hashes."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

TOKEN_BYTES: Final = 32


def new_token() -> str:
    """256 random bits as text that fits into a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """The hash a token is looked up by. Tokens are random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()
