"""Identifies clients, signs people in, and creates the first administrator."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bus.bus import Bus
from bus.stores.accounts.stores import AccountStores
from bus.stores.accounts.users import User
from contract.accounts.grants import EVERYWHERE
from contract.errors import AccountError, BusyError
from contract.names import alike
from dashboard.accounts.identity import Identity
from dashboard.accounts.metrics_key import MetricsKey
from dashboard.accounts.passwords import Passwords, require_good

FIRST_ADMINISTRATOR: Final = "admin"


@dataclass(frozen=True)
class Accounts(AccountStores):
    """The stores of accounts, and operations on several of them."""

    passwords: Passwords
    metrics_key: MetricsKey

    def by_session(self, token: str) -> Identity | None:
        """Return the person whose browser holds this session's token."""
        session = self.sessions.find(token)
        user = self.users.get(session.user_id) if session else None
        if user is None or not user.enabled:
            return None
        return Identity("user", user.id, user.name, user.may(), session_token=token)

    def by_key(self, text: str) -> Identity | None:
        """Return the API key with this text."""
        key = self.metrics_key.find(text) or self.api_keys.find(text)
        if key is None:
            return None
        return Identity("key", key.id, key.name, key.may(), metrics_only=key.kind == "metrics")

    def check_password(self, name: str, password: str, address: str) -> User | None:
        """Return the enabled account with that name and password, or None. All attempts come here.

        `address`: the client's address, for which the attempt counts.

        Raises:
            TooManyAttemptsError: the password was not tried.
            BusyError: the password was neither tried nor counted.
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
        return self._hashed_as_today(user, password)

    def begin_session(self, user: User, address: str, browser: str) -> Identity | None:
        """Sign in a user who has just proved who they are.

        Returns None if the account was disabled or got a new password in the meantime. Those end
        all sessions, and must also prevent this one.
        """
        token = self.sessions.start(user.id, address, browser)
        found, now = self.by_session(token), self.users.get(user.id)
        if found is None or now is None or now.password_hash != user.password_hash:
            self.sessions.end(token)
            return None
        return found

    def set_password(self, user: User, password: str, keep: str = "") -> tuple[User, int]:
        """Give an account a new password, and end the sessions of the old one.

        Returns the account and the number of ended sessions; `keep` is the token of one to keep.

        Raises:
            AccountError: the password is too easy to guess.
        """
        require_good(password, user.name)
        return self.set_password_hash(user, self.passwords.hash(password), keep)

    def set_password_hash(self, user: User, password_hash: str, keep: str = "") -> tuple[User, int]:
        """Like `set_password`, for a password that is already checked and hashed."""
        changed = self.users.update(user, password_hash=password_hash)
        return changed, self.end_everything(changed, keep)

    def change(self, user: User, **changes: Any) -> User:
        """Change an account's roles; disabling it ends its sessions and links."""
        changed = self.users.update(user, **changes)
        if not changed.enabled:
            self.end_everything(changed)
        return changed

    def remove(self, user: User) -> None:
        """Remove an account with its sessions and links."""
        self.users.remove(user)
        self.end_everything(user)

    def _hashed_as_today(self, user: User, password: str) -> User | None:
        """Return the account, with a new hash if its own is weak; None if it has changed."""
        if not self.passwords.outdated(user.password_hash):
            return user
        try:
            hashed = self.passwords.hash(password)
            return self.users.update(user, same_password=True, password_hash=hashed)
        except BusyError:
            return user  # the next sign-in will do
        except AccountError:
            return None

    def end_everything(self, user: User, keep: str = "") -> int:
        """End an account's sessions and links; return the number of sessions."""
        self.links.void(user.id)
        return self.sessions.end_all(user.id, but=keep)

    def first_link(self) -> str | None:
        """Return the path of a link for the administrator without a password, or None.

        Creates this administrator if no account could manage accounts otherwise.
        """
        everyone = self.users.all()
        if any(user.administers() and user.password_hash for user in everyone):
            return None
        waiting = next((user for user in everyone if user.administers()), None)
        user = waiting or self.users.add(_free_name(everyone), {EVERYWHERE: "administrator"})
        return self.links.create(user.id)


def make_accounts(
    bus: Bus, passwords: Passwords | None = None, metrics_key_file: Path | None = None
) -> Accounts:
    """Return the accounts over one bus. Connects to nothing.

    Raises:
        SettingsError: the metrics key file cannot be used.
    """
    return Accounts(
        **vars(bus.accounts),
        passwords=passwords or Passwords(),
        metrics_key=MetricsKey(metrics_key_file),
    )


def _free_name(everyone: list[User]) -> str:
    taken = {alike(user.name) for user in everyone}
    names = [FIRST_ADMINISTRATOR, *(f"{FIRST_ADMINISTRATOR}{n}" for n in range(2, 100))]
    return next(name for name in names if name not in taken)
