"""The stores of accounts over one client of Redis."""

from __future__ import annotations

from dataclasses import dataclass

from redis import Redis

from bus.stores.accounts.api_keys import ApiKeyStore
from bus.stores.accounts.audit import AuditLog
from bus.stores.accounts.links import LinkStore
from bus.stores.accounts.sessions import SessionStore
from bus.stores.accounts.throttle import SignInThrottle
from bus.stores.accounts.users import UserStore


@dataclass(frozen=True)
class AccountStores:
    """All stores of accounts."""

    users: UserStore
    sessions: SessionStore
    links: LinkStore
    api_keys: ApiKeyStore
    audit: AuditLog
    throttle: SignInThrottle

    @classmethod
    def over(cls, redis: Redis) -> AccountStores:
        """Return the stores over one client. Connects to nothing."""
        return cls(
            users=UserStore(redis),
            sessions=SessionStore(redis),
            links=LinkStore(redis),
            api_keys=ApiKeyStore(redis),
            audit=AuditLog(redis),
            throttle=SignInThrottle(redis),
        )
