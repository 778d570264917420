"""The accounts as one: who somebody is, signing in, and the first administrator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from contract.errors import BusyError
from dashboard.accounts.api_keys import ApiKeyStore
from dashboard.accounts.audit import AuditLog
from dashboard.accounts.grants import EVERYWHERE
from dashboard.accounts.identity import Identity
from dashboard.accounts.links import LinkStore
from dashboard.accounts.passwords import Passwords, require_good
from dashboard.accounts.sessions import SessionStore
from dashboard.accounts.throttle import SignInThrottle
from dashboard.accounts.users import FIRST_ADMINISTRATOR, User, UserStore


@dataclass(frozen=True)
class Accounts:
    """All stores of accounts over one Redis."""

    users: UserStore
    sessions: SessionStore
    links: LinkStore
    api_keys: ApiKeyStore
    audit: AuditLog
    passwords: Passwords
    throttle: SignInThrottle

    def by_session(self, token: str) -> Identity | None:
        """The person whose browser holds this session's token."""
        session = self.sessions.find(token)
        user = self.users.get(session.user_id) if session else None
        if user is None or not user.enabled:
            return None
        return Identity("user", user.id, user.name, user.may(), session_token=token)

    def by_key(self, text: str) -> Identity | None:
        """The API key that `text` is."""
        key = self.api_keys.find(text)
        if key is None:
            return None
        return Identity("key", key.id, key.name, key.may(), metrics_only=key.kind == "metrics")

    def unchanged(self, identity: Identity) -> bool:
        """Whether somebody who was let in would be let in now, to see the same."""
        if identity.kind == "user":
            now = self.by_session(identity.session_token)
            return now is not None and now.grants == identity.grants
        key = self.api_keys.get(identity.id)
        return key is not None and not key.expired() and key.may() == identity.grants

    def check_password(self, name: str, password: str, address: str) -> User | None:
        """The enabled account of that name and password, or None; every way to try one ends here.

        `address`: whose attempt counts.

        Raises:
            TooManyAttemptsError: it was not tried.
            BusyError: nor was it counted.
        """
        attempt = self.throttle.begin(name, address)
        user = self.users.find(name)
        try:
            right = self.passwords.matches(user.password_hash if user else "", password)
        except BusyError:
            attempt.give_back()
            raise
        if user is None or not user.enabled or not right:
            return None
        attempt.succeeded()
        return user

    def set_password(self, user: User, password: str) -> User:
        """Give an account a new password.

        Raises:
            AccountError: it is too easy to guess.
        """
        require_good(password, user.name)
        return self.users.update(user, password_hash=self.passwords.hash(password))

    def first_link(self) -> str | None:
        """The path of a link for the administrator who has no password yet, or None.

        Makes that administrator when nobody could look after accounts otherwise.
        """
        everyone = self.users.all()
        if any(user.administers() and user.password_hash for user in everyone):
            return None
        waiting = next((user for user in everyone if user.administers()), None)
        user = waiting or self.users.add(_free_name(everyone), {EVERYWHERE: "administrator"})
        return self.links.create(user.id)


def make_accounts(
    redis: Redis, passwords: Passwords | None = None, metrics_key_file: Path | None = None
) -> Accounts:
    """Return the accounts over one Redis client. Connects to nothing."""
    return Accounts(
        users=UserStore(redis),
        sessions=SessionStore(redis),
        links=LinkStore(redis),
        api_keys=ApiKeyStore(redis, metrics_key_file),
        audit=AuditLog(redis),
        passwords=passwords or Passwords(),
        throttle=SignInThrottle(redis),
    )


def _free_name(everyone: list[User]) -> str:
    taken = {user.name.lower() for user in everyone}
    names = [FIRST_ADMINISTRATOR, *(f"{FIRST_ADMINISTRATOR}{n}" for n in range(2, 100))]
    return next(name for name in names if name not in taken)
