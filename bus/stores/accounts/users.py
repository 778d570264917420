"""The people who may sign in."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from redis import Redis
from redis.client import Pipeline

from bus import keys
from contract.accounts.grants import LONGEST_GROUP, Grants, Role
from contract.errors import AccountError
from contract.field_words import field_words
from contract.names import PLAIN_NAME, alike, composed
from contract.plain_text import STORED

_log = logging.getLogger(__name__)


class User(BaseModel):
    """An account. Immutable: change one with `UserStore.update`."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9]{1,32}$")
    name: Annotated[str, Field(min_length=1, max_length=64), PLAIN_NAME]
    grants: dict[str, Role]
    password_hash: str = Field("", repr=False)
    """Empty until the user has chosen a password through the one-time link."""
    enabled: bool = True
    created_at_s: float = Field(default_factory=time.time)
    signed_in_at_s: float | None = None

    @field_validator("name")
    @classmethod
    def _without_colon(cls, name: str) -> str:
        if ":" in name:
            raise ValueError("a name must not contain a colon")
        return name

    @field_validator("grants")
    @classmethod
    def _some(cls, grants: dict[str, Role]) -> dict[str, Role]:
        return check_grants(grants)

    def may(self) -> Grants:
        return Grants(self.grants)

    def administers(self) -> bool:
        """Whether this account can manage all others."""
        return self.enabled and self.may().allow_everywhere("administrator")


def check_grants(grants: dict[str, Role]) -> dict[str, Role]:
    """Return the grants of an account or a key; raise `ValueError` when there are none."""
    if not grants:
        raise ValueError("expected at least one role")
    if any(not group.strip() or len(group) > LONGEST_GROUP for group in grants):
        raise ValueError("a group needs a name")
    return {composed(group): role for group, role in grants.items()}


class UserStore:
    """The accounts in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def empty(self) -> bool:
        """Whether there are no accounts; takes constant time, because strangers may ask."""
        return not self._redis.hlen(keys.USERS)

    def all(self) -> list[User]:
        """Return every account by name; an unreadable record is logged and left out."""
        found: list[User] = []
        for user_id, record in self._redis.hgetall(keys.USERS).items():
            try:
                found.append(User.model_validate_json(record, context=STORED))
            except ValidationError:
                _log.error("the account %s cannot be read and is left out", str(user_id))
        return sorted(found, key=lambda user: user.name.lower())

    def get(self, user_id: str) -> User | None:
        """One account, or None."""
        record = self._redis.hget(keys.USERS, user_id)
        if record is None:
            return None
        try:
            return User.model_validate_json(record, context=STORED)
        except ValidationError:
            _log.error("the account %s cannot be read and is left out", user_id)
            return None

    def find(self, name: str) -> User | None:
        """Return the account with that name, or with one that looks the same."""
        wanted = alike(name)
        return next((user for user in self.all() if alike(user.name) == wanted), None)

    def add(self, name: str, grants: dict[str, Role]) -> User:
        """Create an account without a password; raise `AccountError` if its values are invalid."""
        user = _validated({"id": secrets.token_hex(6), "name": name, "grants": grants})
        if self.find(user.name):
            raise AccountError(f"name: another account already has the name {user.name!r}")
        self._store(user)
        return user

    def update(self, user: User, same_password: bool = False, **changes: Any) -> User:
        """Change these fields of the stored account, even if it changed since `user` was read.

        Raises:
            AccountError: it was just removed, it is the last administrator, or, with
                `same_password`, its password was just changed.
        """

        def write(pipeline: Pipeline) -> User:
            before = self.get(user.id)
            if before is None:
                raise AccountError(f"the account {user.name!r} was just removed")
            if same_password and before.password_hash != user.password_hash:
                raise AccountError(f"the password of {user.name!r} was just changed")
            changed = _validated({**before.model_dump(), **changes})
            if before.administers() and not changed.administers():
                self._require_another_administrator(before)
            pipeline.multi()
            pipeline.hset(keys.USERS, user.id, changed.model_dump_json())
            return changed

        return cast(User, self._at_once(write))

    def remove(self, user: User) -> None:
        """Delete an account; raise `AccountError` for the last administrator."""

        def write(pipeline: Pipeline) -> None:
            before = self.get(user.id)
            if before and before.administers():
                self._require_another_administrator(before)
            pipeline.multi()
            pipeline.hdel(keys.USERS, user.id)

        self._at_once(write)

    def _at_once(self, write: Callable[[Pipeline], object]) -> object:
        """Read and write as one step; start again if an account changes in between."""
        step: Any = write  # what it returns is asked for, which redis-py's types do not know
        return self._redis.transaction(step, keys.USERS, value_from_callable=True)

    def _require_another_administrator(self, user: User) -> None:
        if not any(other.administers() for other in self.all() if other.id != user.id):
            raise AccountError(
                f"{user.name!r} is the last administrator of all cameras; create another one first"
            )

    def _store(self, user: User) -> None:
        self._redis.hset(keys.USERS, user.id, user.model_dump_json())


def _validated(fields: dict[str, Any]) -> User:
    try:
        return User(**fields)
    except ValidationError as error:
        raise AccountError(explain(error)) from None


def explain(error: ValidationError) -> str:
    """Return the faulty fields and their faults, without the values."""
    return "; ".join(f"{'.'.join(map(str, p['loc']))}: {field_words(p)}" for p in error.errors())
