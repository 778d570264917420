"""Who is asking: a signed-in person or an API key, with what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from contract.accounts.grants import Grants


@dataclass(frozen=True)
class Identity:
    """Somebody known. Read anew for each request, so that a change takes effect at once."""

    kind: Literal["user", "key"]
    id: str
    name: str
    grants: Grants
    metrics_only: bool = False
    session_token: str = field(default="", repr=False)

    # What Flask-Login asks of whoever is signed in.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the signed cookie holds: the session's token, never the account's id."""
        return self.session_token

    @property
    def owner(self) -> str:
        """Names this person or key in records of theirs alone."""
        return f"{self.kind}:{self.id}"

    @property
    def label(self) -> str:
        """The name in the audit log."""
        return self.name if self.kind == "user" else f"{self.name} (API key)"
