"""The identity of a client: a signed-in person or an API key, with its rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from contract.accounts.grants import Grants


@dataclass(frozen=True)
class Identity:
    """A known client, read for each request, so that a change takes effect at once."""

    kind: Literal["user", "key"]
    id: str
    name: str
    grants: Grants
    metrics_only: bool = False
    session_token: str = field(default="", repr=False)

    # Flask-Login requires these of a signed-in user.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the content of the signed cookie: the session's token, never the account's id."""
        return self.session_token

    @property
    def owner(self) -> str:
        """Identifies the person or key as the owner of uploads and webcams."""
        return f"{self.kind}:{self.id}"

    @property
    def label(self) -> str:
        """Return the name for the audit log."""
        return self.name if self.kind == "user" else f"{self.name} (API key)"
